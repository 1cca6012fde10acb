// `vigil`: the operator's command. It needs no rights and talks to no daemon: it checks configurations, replays captures and journals, and
// asks a web server what a health checker would.

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "engine/cli/command.h"
#include "engine/daemon/version.h"

int main(int argc, char** argv) {
    CLI::App app{"Checks configurations of vigild and explains what a virtual router did and why."};
    app.set_version_flag("-v,--version", std::string("vigil ") + std::string(vigil::daemon::version));
    app.require_subcommand(1);
    vigil::cli::Run run;
    vigil::cli::add_check(app, run);
    vigil::cli::add_keywords(app, run);
    vigil::cli::add_replay(app, run);
    vigil::cli::add_journal(app, run);
    vigil::cli::add_digest(app, run);
    std::vector<char*> words(argv, argv + argc);
    static char digest[] = "digest";
    if (std::string_view(words[0]).ends_with("genhash")) words.insert(words.begin() + 1, digest);   // what keepalived calls it
    CLI11_PARSE(app, static_cast<int>(words.size()), words.data());
    return run();
}

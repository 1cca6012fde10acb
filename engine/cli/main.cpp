// `vigil`: the operator's command. It needs no rights and talks to no daemon: it checks configurations and replays captures and journals.

#include <CLI/CLI.hpp>

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
    CLI11_PARSE(app, argc, argv);
    return run();
}

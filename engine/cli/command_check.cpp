#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "config/load.h"
#include "engine/cli/command.h"
#include "engine/daemon/diagnostics_json.h"

namespace vigil::cli {
namespace {

struct Options {
    std::string file = "/etc/keepalived/keepalived.conf";
    std::string config_id;
    std::string diagnostics = "text";
};

int check(const Options& options) {
    config::LoadOptions load_options;
    load_options.path = options.file;
    load_options.config_id = options.config_id;
    load_options.include_checks = {true, true, true, true};
    const config::LoadResult result = config::load(load_options);
    if (options.diagnostics == "json") {
        fmt::print("{}", daemon::diagnostics_json(options.file, result));
        return test_exit_code(result.diagnostics);
    }
    for (const config::Diagnostic& diagnostic : result.diagnostics.all()) fmt::print("{}", to_text(diagnostic, result.configuration));
    fmt::print("{}: {} virtual routers, {} errors, {} warnings, {} notes\n", options.file, result.configuration.instances.size(),
               result.diagnostics.count(config::Severity::error), result.diagnostics.count(config::Severity::warning),
               result.diagnostics.count(config::Severity::note));
    return test_exit_code(result.diagnostics);
}

}  // namespace

void add_check(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("check", "Check the language of a configuration, for any host; exits 0 when nothing is wrong, 4-6 otherwise. vigild -t looks at scripts, FIFOs and interfaces too");
    auto options = std::make_shared<Options>();
    command->add_option("file", options->file, "keepalived.conf, or a glob pattern")->capture_default_str();
    command->add_option("-i,--config-id", options->config_id, "value that @id lines are compared with");
    command->add_option("--diagnostics", options->diagnostics, "how to report: text for people, json for programs")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    command->callback([options, &run] { run = [options] { return check(*options); }; });
}

}  // namespace vigil::cli

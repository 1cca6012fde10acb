#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "config/keywords.h"
#include "engine/cli/command.h"

namespace vigil::cli {
namespace {

struct Options {
    bool later = false;
};

int list_keywords(const Options& options) {
    for (const config::BlockTable& table : config::block_tables()) {
        for (const auto& keywords : {table.keywords, table.more}) {
            for (const config::Keyword& keyword : keywords) {
                const bool is_acted_on = keyword.status == config::Status::acted;
                if (options.later && is_acted_on) continue;
                const std::string instead = keyword.replacement.empty() ? "" : keyword.replacement == "-" ? "deprecated" : fmt::format("deprecated: use {}", keyword.replacement);
                fmt::print("{}\t{}\tT{}\t{}\t{}\n", table.name, keyword.name, static_cast<int>(keyword.tier), is_acted_on ? "acts" : "later", instead);
            }
        }
    }
    return 0;
}

}  // namespace

void add_keywords(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("keywords", "List every keyword of the configuration: block, keyword, tier, 'acts' or 'later', separated by tabs");
    auto options = std::make_shared<Options>();
    command->add_flag("--later", options->later, "only those that are understood, but not yet acted on");
    command->callback([options, &run] { run = [options] { return list_keywords(*options); }; });
}

}  // namespace vigil::cli

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "engine/cli/command.h"
#include "engine/core/journal.h"

namespace vigil::cli {
namespace {

constexpr int exit_incomplete = 1;
constexpr int exit_unusable = 2;

int replay(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        return fmt::print(stderr, "vigil: {}: {}\n", path, error ? error.message() : "is no regular file"), exit_unusable;
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) return fmt::print(stderr, "vigil: {}: cannot be read\n", path), exit_unusable;
    const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
    const auto result = engine::replay_journal({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
    if (!result) return fmt::print(stderr, "vigil: {}: {}\n", path, to_string(result.error())), exit_unusable;
    fmt::print("{}", result->transcript);
    if (result->is_complete) {
        fmt::print(stderr, "vigil: {}: {} calls replayed, all {} batches of frames are those of the live run\n", path, result->records, result->batches);
        return 0;
    }
    fmt::print(stderr, "vigil: {}: stopped after {} records: {}\n", path, result->records, to_string(result->stopped_by));
    return exit_incomplete;
}

}  // namespace

void add_journal(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("journal", "Replay what `vigild --journal FILE` recorded, bit for bit, and print what happened and why");
    auto path = std::make_shared<std::string>();
    command->add_option("file", *path, "the journal")->required();
    command->callback([path, &run] { run = [path] { return replay(*path); }; });
}

}  // namespace vigil::cli

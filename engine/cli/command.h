#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

/// The subcommands of `vigil`, one file each. Each adds itself to the application and leaves what to do in `run`, which
/// returns the exit code.
namespace vigil::cli {

using Run = std::function<int()>;

void add_check(CLI::App& app, Run& run);
void add_keywords(CLI::App& app, Run& run);
void add_replay(CLI::App& app, Run& run);
void add_journal(CLI::App& app, Run& run);
void add_digest(CLI::App& app, Run& run);

}  // namespace vigil::cli

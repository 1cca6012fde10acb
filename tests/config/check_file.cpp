/// Loads the files it is given and prints what config/ has to say: for people who try a configuration, and for the tests that
/// run a whole directory. `--dump` adds the effective model, `--time` the milliseconds, `--quiet` leaves the notes out.

#include <chrono>
#include <cstdio>
#include <string_view>

#include "config/load.h"

int main(int argument_count, char** arguments) {
    using namespace vigil::config;
    bool wants_dump = false;
    bool wants_time = false;
    bool is_quiet = false;
    int worst = 0;
    for (int index = 1; index < argument_count; ++index) {
        const std::string_view argument = arguments[index];
        if (argument == "--dump") wants_dump = true;
        else if (argument == "--time") wants_time = true;
        else if (argument == "--quiet") is_quiet = true;
        if (argument.starts_with("--")) continue;
        LoadOptions options;
        options.path = argument;
        const auto begin = std::chrono::steady_clock::now();
        const LoadResult result = load(options);
        const auto end = std::chrono::steady_clock::now();
        for (const Diagnostic& diagnostic : result.diagnostics.all()) {
            if (is_quiet && diagnostic.severity == Severity::note) continue;
            std::fputs(to_text(diagnostic, result.configuration).c_str(), stdout);
        }
        if (wants_dump) std::fputs(dump(result.configuration).c_str(), stdout);
        const int code = test_exit_code(result.diagnostics);
        std::printf("%s: %zu instances, %zu errors, %zu warnings, %zu notes, exit code %d", arguments[index],
                    result.configuration.instances.size(), result.diagnostics.count(Severity::error),
                    result.diagnostics.count(Severity::warning), result.diagnostics.count(Severity::note), code);
        if (wants_time) std::printf(", %.1f ms", std::chrono::duration<double, std::milli>(end - begin).count());
        std::printf("\n");
        worst = code > worst ? code : worst;
    }
    return worst;
}

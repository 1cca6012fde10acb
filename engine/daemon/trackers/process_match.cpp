#include "engine/daemon/trackers/process_match.h"

#include <algorithm>

namespace vigil::daemon {
namespace {

constexpr std::size_t longest_name = 15;   // TASK_COMM_LEN without its 0 octet

bool parameters_match(const ProcessPattern& pattern, const std::vector<std::string>& arguments) {
    const std::size_t wanted = pattern.parameters.size();
    const std::size_t given = arguments.size() - 1;
    const auto equal_to = [&](std::size_t count) {
        return std::equal(pattern.parameters.begin(), pattern.parameters.begin() + static_cast<std::ptrdiff_t>(count), arguments.begin() + 1);
    };
    switch (pattern.match) {
    case config::ParameterMatch::none: return true;
    case config::ParameterMatch::exact: return given == wanted && equal_to(wanted);
    case config::ParameterMatch::partial: return given >= wanted && equal_to(wanted);
    case config::ParameterMatch::initial:
        if (wanted == 0) return given == 0;
        return given >= wanted && equal_to(wanted - 1) && arguments[wanted].starts_with(pattern.parameters.back());
    }
    return false;
}

}  // namespace

bool matches(const ProcessPattern& pattern, const ProcessFacts& process) {
    if (!pattern.has_full_command) return process.name == pattern.program.substr(0, longest_name);
    return !process.arguments.empty() && process.arguments.front() == pattern.program && parameters_match(pattern, process.arguments);
}

std::string_view name_in_stat(std::string_view stat) {
    const std::size_t begin = stat.find('(');
    const std::size_t end = stat.rfind(')');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin || end + 2 >= stat.size()) return {};
    const char state = stat[end + 2];
    if (state == 'Z' || state == 'X' || state == 'x') return {};
    return stat.substr(begin + 1, end - begin - 1);
}

std::vector<std::string> split_command_line(std::string_view command_line) {
    std::vector<std::string> words;
    while (!command_line.empty()) {
        const std::size_t end = std::min(command_line.find('\0'), command_line.size());
        words.emplace_back(command_line.substr(0, end));
        command_line.remove_prefix(std::min(end + 1, command_line.size()));
    }
    return words;
}

}  // namespace vigil::daemon

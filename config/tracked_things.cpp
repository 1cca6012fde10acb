/// track_file and vrrp_track_process: from their blocks to the model. What is tracked without a weight puts an instance into FAULT when it is
/// misread, so a block that lacks what it is about is refused as a whole rather than guessed at.

#include <limits>

#include "config/interpreter.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::int64_t greatest_useful_value = 254;

/// init_file [NUMBER] [overwrite], in either order.
void read_init_file(Context& context, TrackedFile& file, const Node& node) {
    file.initial_value = 0;
    for (std::size_t i = 1; i < node.word_count(); ++i) {
        const std::string_view word = node.word(i);
        if (word == "overwrite") {
            file.overwrite = true;
            continue;
        }
        const auto number = read_number(word);
        const bool fits = number && !number->has_trailing && number->value >= std::numeric_limits<std::int32_t>::min() &&
                          number->value <= std::numeric_limits<std::int32_t>::max();
        if (!fits) {
            context.reporter.error(node.line(), word, "'init_file' takes a number and 'overwrite', not " + in_quotes(word) + ": ignored");
            continue;
        }
        file.initial_value = static_cast<std::int32_t>(number->value);
        if (number->value < -greatest_useful_value || number->value > greatest_useful_value) {
            context.reporter.warning(node.line(), word, "a number beyond -254 to 254 does no more than these");
        }
    }
}

void read_file_keyword(Context& context, TrackedFile& file, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    if (name == "file") {
        if (!file.path.empty()) {
            context.reporter.error(node.line(), node.word(0), "'file' was given already: this one is ignored");
            return;
        }
        file.path = context.texts.intern(node.word(1));
        if (file.path.starts_with('/')) return;
        context.reporter.warning(node.line(), node.word(1), "a relative path begins where the daemon was started, which is '/' for a service",
                                 "write the whole path");
    } else if (name == "weight") {
        file.weight = static_cast<std::int16_t>(read_number(node.word(1))->value);
        file.weight_reverse = node.word(2) == "reverse";
    } else if (name == "init_file") {
        read_init_file(context, file, node);
    }
}

void read_match(Context& context, TrackedProcess& process, const Node& node) {
    const std::string_view word = node.word(1);
    process.full_command = true;
    process.match = ParameterMatch::exact;
    if (word == "initial") process.match = ParameterMatch::initial;
    else if (word == "partial") process.match = ParameterMatch::partial;
    else if (!word.empty()) {
        context.reporter.error(node.line(), word, "'param_match' stands alone or with 'initial' or 'partial': the parameters must be equal");
    }
}

void read_process_keyword(Context& context, TrackedProcess& process, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto count = [&] { return static_cast<std::uint32_t>(read_number(node.word(1))->value); };
    const auto time = [&] { return Nanoseconds{std::chrono::microseconds{read_seconds(node.word(1))->value}}; };
    if (name == "process") {
        process.program = context.texts.intern(node.word(1));
        process.parameters.clear();
        for (std::size_t i = 2; i < node.word_count(); ++i) process.parameters.push_back(context.texts.intern(node.word(i)));
    } else if (name == "param_match") {
        read_match(context, process, node);
    } else if (name == "weight") {
        process.weight = static_cast<std::int16_t>(read_number(node.word(1))->value);
        process.weight_reverse = node.word(2) == "reverse";
    } else if (name == "quorum") {
        process.quorum = count();
    } else if (name == "quorum_max") {
        process.quorum_max = count();
    } else if (name == "delay") {
        process.terminate_delay = process.fork_delay = time();
    } else if (name == "terminate_delay") {
        process.terminate_delay = time();
    } else if (name == "fork_delay") {
        process.fork_delay = time();
    } else if (name == "full_command") {
        process.full_command = true;
    }
}

void settle_process(Context& context, TrackedProcess& process, const Node& block) {
    const auto say = [&](std::string text, std::string help) {
        context.reporter.warning(block.line(), block.word(1), "vrrp_track_process " + in_quotes(process.name) + ": " + std::move(text), std::move(help));
    };
    if (!process.parameters.empty() && process.match == ParameterMatch::none) process.match = ParameterMatch::exact;
    if (process.match != ParameterMatch::none) process.full_command = true;
    if (!process.full_command && process.program.starts_with('/')) {
        say("a name has no path; the full command is compared", "write full_command");
        process.full_command = true;
    }
    if (process.quorum_max == 0) {
        process.quorum = 0;
    } else if (process.quorum_max < process.quorum) {
        say("quorum_max is less than quorum: it is ignored", "the number of processes must be from quorum to quorum_max");
        process.quorum_max = TrackedProcess::unlimited;
    }
}

}  // namespace

bool claim_tracker_name(Context& context, TrackerNames& names, const Node& block, bool is_complete, std::string_view required) {
    const std::string_view keyword = block.word(0);
    const std::string_view name = context.texts.intern(block.word(1));
    const auto [first, is_new] = names.try_emplace(name, block.where(1));
    if (!is_new) {
        context.reporter.error(block.line(), block.word(1),
                               "there is a " + std::string(keyword) + " " + in_quotes(name) + " already, on line " + std::to_string(first->second.line) +
                                   ": this one is ignored");
        return false;
    }
    if (is_complete) return true;
    const std::string_view word = required.substr(0, required.find(' '));
    context.reporter.error(block.line(), block.word(1),
                           std::string(keyword) + " " + in_quotes(name) + " has no " + in_quotes(word) + ": it is ignored", "write " + std::string(required));
    return false;
}

void read_tracked_file(Context& context, const Node& block) {
    report_deprecated(context.reporter, block);
    TrackedFile file;
    file.name = context.texts.intern(block.word(1));
    file.where = block.where(1);
    block.for_each_child([&](const Node& node) {
        if (!node.statement().is_deaf && check_arguments(context.reporter, node)) read_file_keyword(context, file, node);
    });
    if (claim_tracker_name(context, context.files, block, !file.path.empty(), "file /path/to/file")) context.configuration.tracked_files.push_back(file);
}

void read_tracked_process(Context& context, const Node& block) {
    TrackedProcess process;
    process.name = context.texts.intern(block.word(1));
    process.where = block.where(1);
    block.for_each_child([&](const Node& node) {
        if (!node.statement().is_deaf && check_arguments(context.reporter, node)) read_process_keyword(context, process, node);
    });
    settle_process(context, process, block);
    if (!claim_tracker_name(context, context.processes, block, !process.program.empty(), "process NAME [PARAMETER ...]")) return;
    context.configuration.tracked_processes.push_back(std::move(process));
}

}  // namespace vigil::config

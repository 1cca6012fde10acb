#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/model.h"
#include "config/process_definitions.h"
#include "config/values.h"
#include "packet/units.h"

/// What the files of dump() share.
namespace vigil::config {

/// Lines of a configuration, indented by their block.
class Writer {
public:
    void block(std::string_view name, std::string_view argument = {}) {
        indent();
        out_ += name;
        if (!argument.empty()) (out_ += ' ') += argument;
        out_ += " {\n";
        ++depth_;
    }
    void end() {
        --depth_;
        indent();
        out_ += "}\n";
    }
    void line(std::string_view name, std::string_view value = {}) {
        indent();
        out_ += name;
        if (!value.empty()) (out_ += ' ') += value;
        out_ += '\n';
    }
    void text(std::string_view name, std::string_view value) {
        if (!value.empty()) line(name, value);
    }
    void number(std::string_view name, std::uint64_t value) { line(name, std::to_string(value)); }
    void flag(std::string_view name, bool value) {
        if (value) line(name);
    }
    std::string take() { return std::move(out_); }

private:
    void indent() { out_.append(depth_ * 4, ' '); }

    std::string out_;
    std::size_t depth_ = 0;
};

/// As a word of a command keyword, so that it reads back.
inline std::string quoted_command(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        constexpr std::string_view digits = "0123456789abcdef";
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (static_cast<unsigned char>(c) >= ' ') out += c;
        else ((out += "\\x") += digits[static_cast<unsigned char>(c) >> 4]) += digits[c & 15];
    }
    return out + '"';
}

inline std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

/// " USER GROUP" behind a command; empty when the file names none.
std::string owner_of(const NotifyScript& script);
void write_fifo(Writer& out, std::string_view name, const NotifyFifo& fifo);
/// dump_servers.cpp: within global_defs, at the root level, and the virtual servers with their groups.
void write_lvs_definitions(Writer& out, const LvsDefinitions& lvs);
void write_lvs_root(Writer& out, const LvsDefinitions& lvs);
void write_servers(Writer& out, const Configuration& configuration);
/// dump_process.cpp: within global_defs.
void write_process_definitions(Writer& out, const ProcessDefinitions& process);

}  // namespace vigil::config

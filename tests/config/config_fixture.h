#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"
#include "config/preprocessor.h"

/// What the tests of config/ share: files in memory, and short questions to a LoadResult.
namespace vigil::config::test {

class MemoryFiles final : public FileSystem {
public:
    struct File {
        std::string content;
        Kind kind = Kind::regular;
        bool is_readable = true;
        bool is_public = false;
        bool is_open_to_others = false;
    };
    std::map<std::string, File> files;
    std::map<std::string, std::string> variables;

    std::optional<std::string> read(const std::string& path) const override {
        const auto found = files.find(path);
        if (found == files.end() || !found->second.is_readable) return std::nullopt;
        return found->second.content;
    }
    Kind kind(const std::string& path) const override {
        const auto found = files.find(path);
        return found == files.end() ? Kind::missing : found->second.kind;
    }
    /// Only `*`, once, is enough for the tests.
    std::vector<std::string> glob(const std::string& pattern) const override {
        const std::size_t star = pattern.find('*');
        std::vector<std::string> found;
        for (const auto& [path, file] : files) {
            const bool matches = star == std::string::npos
                                     ? path == pattern
                                     : path.size() + 1 >= pattern.size() && path.starts_with(pattern.substr(0, star)) &&
                                           path.ends_with(pattern.substr(star + 1));
            if (matches) found.push_back(path);
        }
        return found;
    }
    bool is_readable_by_all(const std::string& path) const override {
        const auto found = files.find(path);
        return found != files.end() && found->second.is_public;
    }
    bool is_open_to_others(const std::string& path) const override {
        const auto found = files.find(path);
        return found != files.end() && found->second.is_open_to_others;
    }
    std::optional<std::string> environment(const std::string& name) const override {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    }
};

inline LoadResult load_string(std::string_view text, const LoadOptions& options = {}) { return load_text("test.conf", text, options); }

/// An instance VI_1 that needs nothing else, with `extra` at its end.
inline std::string instance_with(std::string_view extra) {
    return "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n 10.0.0.1/24\n }\n" +
           std::string(extra) + "\n}\n";
}

/// For values that point into the texts of their configuration: it stays.
inline const LoadResult& keep(LoadResult result) {
    static std::deque<LoadResult> kept;
    return kept.emplace_back(std::move(result));
}

/// All diagnostics as "severity line:column message", joined by '\n'.
inline std::string summary(const LoadResult& result, Severity least = Severity::warning) {
    std::string text;
    for (const Diagnostic& diagnostic : result.diagnostics.all()) {
        if (diagnostic.severity < least) continue;
        text += diagnostic.severity == Severity::error ? "error " : diagnostic.severity == Severity::warning ? "warning " : "note ";
        text += std::to_string(diagnostic.where.line) + ":" + std::to_string(diagnostic.where.column) + " " + diagnostic.message + "\n";
    }
    return text;
}

/// Help texts, joined by '\n'.
inline std::string helps(const LoadResult& result) {
    std::string text;
    for (const Diagnostic& diagnostic : result.diagnostics.all()) text += diagnostic.help + "\n";
    return text;
}

/// What the preprocessor hands on, line by line.
struct EffectiveLines final : LineSink {
    std::vector<std::string> lines;
    void on_line(const Line& line) override { lines.emplace_back(line.text); }
};

struct Preprocessed {
    std::vector<std::string> lines;
    Diagnostics diagnostics;
    bool is_readable = true;
};

inline Preprocessed preprocess(std::string_view text, const LoadOptions& options = {}, std::string name = "/etc/vigil/test.conf") {
    Preprocessed result;
    Sources sources;
    Reporter reporter(sources, result.diagnostics);
    EffectiveLines sink;
    Preprocessor preprocessor(options, sources, reporter, sink);
    preprocessor.read_text(std::move(name), std::string(text));
    result.lines = std::move(sink.lines);
    result.is_readable = preprocessor.is_readable();
    return result;
}

using Lines = std::vector<std::string>;

}  // namespace vigil::config::test

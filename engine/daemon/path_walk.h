#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vigil::daemon {

/// A name in a directory.
struct PathStep {
    std::string directory;   ///< free of symbolic links
    std::string name;

    friend bool operator==(const PathStep&, const PathStep&) = default;
};

/// Target of a symbolic link, nullopt for anything else.
using ReadLink = std::function<std::optional<std::string>(const std::string&)>;
ReadLink host_links();

/// The names that decide what `path` leads to: directories, symbolic links and what these lead through, and the file itself, which comes last. Whoever
/// watches their directories sees each replacement, also one further up ("..data" of a Kubernetes volume, a directory that is renamed); who
/// can change none of them cannot change what `path` means. `path` is absolute. Ends after 40 links, as the kernel does.
std::vector<PathStep> walk_path(const std::string& path, const ReadLink& read_link);

/// "/etc" of "/etc/x", "/" of "/x".
std::string parent_of(const std::string& path);
/// The path of a step.
std::string path_of(const PathStep& step);

}  // namespace vigil::daemon

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

/// The names that decide what `path` leads to: every symbolic link on the way, and the last name. Whoever watches their directories sees each
/// replacement, also one of a link further up ("..data" of a Kubernetes volume). `read_link`: target of a link, nullopt for anything else.
/// `path` is absolute. Ends after 40 links, as the kernel does.
std::vector<PathStep> walk_path(const std::string& path, const std::function<std::optional<std::string>(const std::string&)>& read_link);

}  // namespace vigil::daemon

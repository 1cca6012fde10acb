#include "engine/daemon/path_walk.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <deque>

namespace vigil::daemon {
namespace {

constexpr unsigned most_links = 40;

std::deque<std::string> names_of(const std::string& path) {
    std::deque<std::string> names;
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        if (const std::string name = path.substr(begin, end - begin); !name.empty() && name != ".") names.push_back(name);
        begin = end + 1;
    }
    return names;
}

std::string join(const std::string& directory, const std::string& name) { return directory == "/" ? "/" + name : directory + "/" + name; }

}  // namespace

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::vector<PathStep> walk_path(const std::string& path, const ReadLink& read_link) {
    std::vector<PathStep> steps;
    std::deque<std::string> names = names_of(path);
    std::string directory = "/";
    for (unsigned links = 0; !names.empty() && links <= most_links;) {
        const std::string name = std::move(names.front());
        names.pop_front();
        if (name == "..") {
            directory = parent_of(directory);
            continue;
        }
        const auto target = read_link(join(directory, name));
        steps.push_back({directory, name});
        if (!target) {
            directory = join(directory, name);
            continue;
        }
        ++links;
        if (target->starts_with('/')) directory.assign(1, '/');
        const std::deque<std::string> inserted = names_of(*target);
        names.insert(names.begin(), inserted.begin(), inserted.end());
    }
    return steps;
}

std::string path_of(const PathStep& step) { return join(step.directory, step.name); }

ReadLink host_links() {
    return [](const std::string& path) -> std::optional<std::string> {
        std::array<char, PATH_MAX> target{};
        const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
        if (length <= 0 || static_cast<std::size_t>(length) == target.size()) return std::nullopt;
        return std::string(target.data(), static_cast<std::size_t>(length));
    };
}

}  // namespace vigil::daemon

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "config/load.h"

namespace vigil::config {

namespace {

class HostFileSystem final : public FileSystem {
public:
    std::optional<std::string> read(const std::string& path) const override {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) return std::nullopt;
        std::optional<std::string> content = read_all(fd);
        ::close(fd);
        return content;
    }

    Kind kind(const std::string& path) const override {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) return Kind::missing;
        if (!S_ISREG(status.st_mode)) return Kind::other;
        return (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0 ? Kind::executable : Kind::regular;
    }

    std::vector<std::string> glob(const std::string& pattern) const override {
        std::vector<std::string> paths;
        glob_t found{};
        if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
            paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
        }
        ::globfree(&found);
        return paths;
    }

    std::optional<std::string> environment(const std::string& name) const override {
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return std::string(value);
    }

    /// A directory on the way that others may not enter protects it.
    bool is_readable_by_all(const std::string& path) const override {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) return false;
        for (std::size_t slash = path.rfind('/'); slash != std::string::npos && slash != 0; slash = path.rfind('/', slash - 1)) {
            if (::stat(path.substr(0, slash).c_str(), &status) != 0 || (status.st_mode & S_IXOTH) == 0) return false;
        }
        return true;
    }

    bool is_open_to_others(const std::string& path) const override {
        struct stat status {};
        return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    }

private:
    static std::optional<std::string> read_all(int fd) {
        struct stat status {};
        if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
        std::string content;
        content.resize(static_cast<std::size_t>(status.st_size) + 1);
        std::size_t used = 0;
        for (;;) {
            const ssize_t got = ::read(fd, content.data() + used, content.size() - used);
            if (got < 0) return std::nullopt;
            if (got == 0) break;
            used += static_cast<std::size_t>(got);
            if (used == content.size()) content.resize(content.size() * 2);
        }
        content.resize(used);
        return content;
    }
};

}  // namespace

const FileSystem& host_file_system() {
    static const HostFileSystem host;
    return host;
}

}  // namespace vigil::config

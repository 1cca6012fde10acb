// Numbers in files.
//
// Programs replace files in many ways: they write into them, rename a new one over the old one, turn a symbolic link somewhere on the way, or swap a
// whole directory further up. So it is not the file that is watched but all the names that lead to it (path_walk.h), each in its directory, and after
// any change of a name the way is walked anew. Where a directory is missing the walk is tried again once a second; a file that is not there counts as 0.
//
// proc and sysfs tell inotify nothing: files there are read once a second. Network file systems and FUSE tell nothing of changes made elsewhere, and a
// read may hang for as long as their server does, which the control thread cannot afford: these are refused, as keepalived refuses them.
//
// What a file says that is no number counts as 0, and is told once, until it says something else.

#include "engine/daemon/trackers/file_tracker.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "engine/daemon/trackers/file_value.h"
#include "engine/daemon/path_walk.h"
#include "engine/io/clock.h"
#include "engine/io/file_descriptor.h"

namespace vigil::daemon {
namespace {

/// Of a directory on the way; files that are written in it concern only those who track one there.
constexpr std::uint32_t names_wanted = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
constexpr std::size_t longest_text = 128;

unsigned long file_system_of(const std::string& directory) {
    struct statfs info {};
    if (::statfs(directory.c_str(), &info) != 0) return 0;
    return static_cast<unsigned long>(info.f_type) & 0xffffffff;
}

bool may_hang(unsigned long file_system) {
    constexpr unsigned long remote[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC, CIFS_SUPER_MAGIC, FUSE_SUPER_MAGIC, V9FS_MAGIC, AFS_SUPER_MAGIC,
                                        CEPH_SUPER_MAGIC, CODA_SUPER_MAGIC, OCFS2_SUPER_MAGIC};
    return std::find(std::begin(remote), std::end(remote), file_system) != std::end(remote);
}

bool is_silent(unsigned long file_system) { return file_system == PROC_SUPER_MAGIC || file_system == SYSFS_MAGIC || file_system == CGROUP2_SUPER_MAGIC; }

/// The error is a sentence without a subject. Never follows a link that somebody has put in the file's place.
std::string write_initial_value(const FileDefinition& file) {
    const bool is_there = ::access(file.path.c_str(), F_OK) == 0;
    if (is_there && !file.overwrites) return {};
    const int flags = is_there ? O_WRONLY | O_NOFOLLOW | O_NONBLOCK : O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    const io::FileDescriptor descriptor(::open(file.path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0644));
    if (!descriptor.is_open()) return fmt::format("cannot be initialised: {}", std::strerror(errno));
    struct stat entry {};
    if (::fstat(descriptor.get(), &entry) != 0 || !S_ISREG(entry.st_mode)) return "cannot be initialised: it is not a regular file";
    const std::string text = std::to_string(*file.initial_value) + "\n";
    if (::ftruncate(descriptor.get(), 0) != 0 || ::write(descriptor.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return fmt::format("cannot be initialised: {}", std::strerror(errno));
    }
    return {};
}

struct Content {
    std::int32_t value = 0;
    std::string trouble;
    bool is_empty = false;   ///< as between the two steps of `echo VALUE > FILE`
};

/// Opens nothing but regular files: to open a device may do something.
Content read_content(const std::string& path) {
    struct stat entry {};
    if (::stat(path.c_str(), &entry) != 0) {
        const bool is_absent = errno == ENOENT || errno == ENOTDIR;
        return {0, is_absent ? std::string() : fmt::format("cannot be read: {}; it counts as 0", std::strerror(errno))};
    }
    if (!S_ISREG(entry.st_mode)) return {0, "is not a regular file; it counts as 0"};
    const io::FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    std::array<char, longest_text> text{};
    const ssize_t length = descriptor.is_open() ? ::read(descriptor.get(), text.data(), text.size()) : -1;
    if (length < 0) return {0, fmt::format("cannot be read: {}; it counts as 0", std::strerror(errno))};
    const auto value = read_file_value({text.data(), static_cast<std::size_t>(length)});
    return {value.value_or(0), value ? "" : "does not begin with a number; it counts as 0", length == 0};
}

}  // namespace

FileTracker::FileTracker(boost::asio::io_context& io, TrackedThings& things, RateLimiter& limiter) : things_(things), limiter_(limiter), inotify_(io) {}

FileTracker::~FileTracker() { *alive_ = false; }

void FileTracker::configure(std::vector<FileDefinition> definitions, bool is_start) {
    std::map<std::string, std::unique_ptr<File>> before = std::exchange(files_, {});
    std::vector<FileDefinition> added;
    for (FileDefinition& definition : definitions) {
        const auto known = before.find(definition.name);
        const bool is_same = known != before.end() && known->second->definition.path == definition.path;
        if (!is_same) {
            added.push_back(std::move(definition));
            continue;
        }
        known->second->definition = std::move(definition);
        files_.insert(before.extract(known));
    }
    for (auto& [name, file] : before) {
        unwatch(*file);
        things_.remove(file->thing);
    }
    if (!added.empty() && !inotify_.is_open()) {
        const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (descriptor < 0) spdlog::error("Track files are read once a second, because inotify cannot be used: {}", std::strerror(errno));
        else inotify_.assign(descriptor);
        wait_for_events();
    }
    for (FileDefinition& definition : added) add(std::move(definition), is_start);
}

void FileTracker::add(FileDefinition definition, bool is_start) {
    auto file = std::make_unique<File>();
    file->definition = std::move(definition);
    file->thing = things_.add({.kind = ThingKind::file, .name = file->definition.name, .is_known = true, .is_ignored = false, .is_up = false, .value = 0});
    if (file->definition.initial_value) {
        FileDefinition wanted = file->definition;
        wanted.overwrites = wanted.overwrites && is_start;
        if (const std::string error = write_initial_value(wanted); !error.empty()) spdlog::error("Track file {}: {} {}", wanted.name, wanted.path, error);
    }
    look(*file);
    files_.emplace(file->definition.name, std::move(file));
}

/// Walks the way to it and reads it. Watching comes before reading, so that no change falls between the two.
void FileTracker::look(File& file) {
    const std::string unwatched = watch(file);
    const std::string unread = file.watch == Watch::refused ? std::string() : read(file);
    say(file, unread.empty() ? unwatched : unread);
    if (file.watch == Watch::refused) things_.set_value(file.thing, 0);
}

/// What hinders it, as a sentence without a subject; empty: nothing.
std::string FileTracker::watch(File& file) {
    unwatch(file);
    const std::vector<PathStep> steps = walk_path(file.definition.path, host_links());
    if (steps.empty()) return "is no path of a file";
    const unsigned long file_system = file_system_of(steps.back().directory);
    file.watch = may_hang(file_system) ? Watch::refused : is_silent(file_system) || !inotify_.is_open() ? Watch::polled : Watch::complete;
    if (file.watch == Watch::refused) return "is on a network file system or FUSE, which might hang: it is not read and counts as 0";
    if (file.watch == Watch::polled) return {};
    std::string trouble;
    for (const PathStep& step : steps) {
        const std::uint32_t wanted = names_wanted | (&step == &steps.back() ? IN_CLOSE_WRITE : 0);
        const int directory = ::inotify_add_watch(inotify_.native_handle(), step.directory.c_str(), wanted);
        if (directory < 0) {
            trouble = fmt::format("cannot be watched in {}: {}; it is looked for once a second", step.directory, std::strerror(errno));
            continue;
        }
        watched_[directory].emplace(step.name, &file);
        file.directories.push_back(directory);
    }
    if (!trouble.empty()) file.watch = Watch::none;
    return trouble;
}

void FileTracker::unwatch(File& file) {
    for (const int directory : file.directories) {
        const auto found = watched_.find(directory);
        if (found == watched_.end()) continue;
        std::erase_if(found->second, [&](const auto& entry) { return entry.second == &file; });
        if (!found->second.empty()) continue;
        watched_.erase(found);
        ::inotify_rm_watch(inotify_.native_handle(), directory);
    }
    file.directories.clear();
    file.watch = Watch::none;
}

/// What is wrong with it, as a sentence without a subject; empty: nothing. A file that is not there is not wrong.
std::string FileTracker::read(File& file) {
    Content content = read_content(file.definition.path);
    if (content.is_empty) content.trouble = file.trouble;   // it says nothing else yet
    const int before = things_[file.thing].value;
    if (content.value == before) return content.trouble;
    if (limiter_.admit(fmt::format("changes of track file {}", file.definition.name), io::clock::now())) {
        spdlog::info("Track file {}: value changed from {} to {}", file.definition.name, before, content.value);
    }
    things_.set_value(file.thing, content.value);
    return content.trouble;
}

void FileTracker::say(File& file, const std::string& trouble) {
    if (std::exchange(file.trouble, trouble) == trouble || trouble.empty()) return;
    spdlog::warn("Track file {}: {} {}", file.definition.name, file.definition.path, trouble);
}

void FileTracker::tick() {
    for (auto& [name, file] : files_) {
        if (file->watch == Watch::none) look(*file);
        else if (file->watch == Watch::polled) say(*file, read(*file));
    }
}

void FileTracker::wait_for_events() {
    if (!inotify_.is_open()) return;
    inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        on_events();
        wait_for_events();
    });
}

void FileTracker::on_events() {
    alignas(inotify_event) std::array<char, 16 * 1024> buffer;
    for (;;) {
        const ssize_t length = ::read(inotify_.native_handle(), buffer.data(), buffer.size());
        if (length <= 0) break;
        for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const std::string name = event.len == 0 ? std::string() : std::string(buffer.data() + at + sizeof event);
            at += sizeof event + event.len;
            const bool is_lost = (event.mask & IN_Q_OVERFLOW) != 0;
            if (is_lost) std::for_each(files_.begin(), files_.end(), [](auto& entry) { entry.second->is_dirty = true; });
            else mark(event.wd, name, (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0);
        }
    }
    for (auto& [name, file] : files_) {
        if (std::exchange(file->is_dirty, false)) look(*file);
    }
}

/// `is_directory`: the event is about the directory itself, so about all that is watched in it.
void FileTracker::mark(int directory, const std::string& name, bool is_directory) {
    const auto found = watched_.find(directory);
    if (found == watched_.end()) return;
    const auto [begin, end] = is_directory ? std::pair(found->second.begin(), found->second.end()) : found->second.equal_range(name);
    for (auto entry = begin; entry != end; ++entry) entry->second->is_dirty = true;
}

std::string FileTracker::describe() const {
    std::string text;
    for (const auto& [name, file] : files_) {
        text += fmt::format(" VRRP Track file = {}\n   {:<26} {}\n   {:<26} {}\n", name, "File", file->definition.path, "Value", things_[file->thing].value);
    }
    return text;
}

}  // namespace vigil::daemon

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/trackers/tracked_things.h"

namespace vigil::daemon {

/// A track_file that somebody tracks.
struct FileDefinition {
    std::string name;
    std::string path;   ///< absolute
    std::optional<std::int32_t> initial_value;   ///< init_file
    bool overwrites = false;

    friend bool operator==(const FileDefinition&, const FileDefinition&) = default;
};

/// Reads the files of track_file whenever they may have changed. Control thread.
class FileTracker {
public:
    /// All outlive it.
    FileTracker(boost::asio::io_context& io, TrackedThings& things, RateLimiter& limiter);
    ~FileTracker();

    /// These from now on. `is_start`: init_file may overwrite; on a reload it only makes what is missing.
    void configure(std::vector<FileDefinition> definitions, bool is_start);
    /// Once a second: what cannot be watched, or not yet.
    void tick();
    /// For the dump of SIGUSR1.
    std::string describe() const;

private:
    /// `polled`: read once a second. `refused`: reading might hang.
    enum class Watch : std::uint8_t { none, complete, polled, refused };
    struct File {
        FileDefinition definition;
        ThingIndex thing = ThingIndex::none;
        Watch watch = Watch::none;
        std::string trouble;              ///< what was said last; empty: nothing is wrong
        std::vector<int> directories;     ///< watch descriptors
        bool is_dirty = false;
    };

    void add(FileDefinition definition, bool is_start);
    std::string watch(File& file);
    void unwatch(File& file);
    void look(File& file);
    std::string read(File& file);
    void say(File& file, const std::string& trouble);
    void wait_for_events();
    void on_events();
    void mark(int directory, const std::string& name, bool is_directory);

    TrackedThings& things_;
    RateLimiter& limiter_;
    boost::asio::posix::stream_descriptor inotify_;
    std::map<std::string, std::unique_ptr<File>> files_;
    std::unordered_map<int, std::unordered_multimap<std::string, File*>> watched_;   // watch descriptor -> name in it -> who cares
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon

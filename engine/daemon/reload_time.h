#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace vigil::daemon {

/// A time that somebody wrote into reload_time_file.
struct ReloadTime {
    std::time_t at = 0;      ///< wall clock
    bool is_daily = false;   ///< it had no date

    friend bool operator==(const ReloadTime&, const ReloadTime&) = default;
};

/// "HH:MM:SS" (the next one after `now`), "YY-MM-DD HH:MM:SS", "YYYY-MM-DD HH:MM:SS"; with a Z behind it UTC, else local time. The error is a
/// sentence about the text. A time that is over is no error here.
tl::expected<ReloadTime, std::string> read_reload_time(std::string_view text, std::time_t now);

/// Waits for the time in a file, which may come, change and go at any moment. Asks no clock: is_due() is told the time.
class ReloadSchedule {
public:
    /// An empty path: never. `repeats`: a time without a date means every day, and the file stays.
    void configure(const std::string& path, bool repeats);
    bool is_waiting() const { return !path_.empty(); }
    /// To be called once a second while is_waiting(): true once for each time that has come. Then the file is removed, unless it repeats.
    bool is_due(std::time_t now);

private:
    /// Tells one writing of the file from another.
    struct Stamp {
        ino_t inode = 0;
        off_t size = 0;
        std::time_t seconds = 0;
        long nanoseconds = 0;

        friend bool operator==(const Stamp&, const Stamp&) = default;
    };

    void look(std::time_t now);
    void read(std::time_t now);
    void finish(std::time_t now);

    std::string path_;
    bool repeats_ = false;
    std::optional<Stamp> seen_;          // what due_ is about; nullopt: there was no file
    std::optional<ReloadTime> due_;
};

}  // namespace vigil::daemon

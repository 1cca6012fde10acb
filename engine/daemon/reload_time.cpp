// The file is looked at once a second rather than watched: it need not exist, nor its directory, and the clock that it speaks of is the wall clock, which
// somebody may set. A time that is over when the file is first seen was missed, and is not made up for: the configuration may have been written for
// another day. Whether that is so is decided when the file is seen; a host that slept over the time reloads when it wakes.

#include "engine/daemon/reload_time.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <spdlog/spdlog.h>

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t longest_text = 64;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Digits and the signs between them: "9999-99-99 99:99:99" says where a digit stands.
bool has_form(std::string_view text, std::string_view form) {
    if (text.size() != form.size()) return false;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '9' ? !is_digit : text[i] != form[i]) return false;
    }
    return true;
}

int number_at(std::string_view text, std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); }

bool read_clock(std::string_view text, std::tm& time) {
    time.tm_hour = number_at(text, 0);
    time.tm_min = number_at(text, 3);
    time.tm_sec = number_at(text, 6);
    return time.tm_hour < 24 && time.tm_min < 60 && time.tm_sec < 60;
}

/// Years from 2000 on. `century`: how many digits come before those of the year in the century.
bool read_date(std::string_view text, std::size_t century, std::tm& time) {
    const int year = (century == 0 ? 2000 : number_at(text, 0) * 100) + number_at(text, century);
    time.tm_year = year - 1900;
    time.tm_mon = number_at(text, century + 3) - 1;
    time.tm_mday = number_at(text, century + 6);
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (time.tm_mon < 0 || time.tm_mon > 11 || time.tm_mday < 1 || year < 1970) return false;
    const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return time.tm_mday <= days[static_cast<std::size_t>(time.tm_mon)] + (time.tm_mon == 1 && is_leap ? 1 : 0);
}

std::time_t to_wall_clock(std::tm time, bool is_utc) {
    time.tm_isdst = -1;
    return is_utc ? ::timegm(&time) : std::mktime(&time);
}

ReloadTime next_daily(std::tm clock, bool is_utc, std::time_t now) {
    std::tm today{};
    if (is_utc) ::gmtime_r(&now, &today);
    else ::localtime_r(&now, &today);
    today.tm_hour = clock.tm_hour;
    today.tm_min = clock.tm_min;
    today.tm_sec = clock.tm_sec;
    const std::time_t at = to_wall_clock(today, is_utc);
    if (at > now) return {at, true};
    ++today.tm_mday;   // mktime() makes the first of a month of the 32nd
    return {to_wall_clock(today, is_utc), true};
}

std::string text_of(std::time_t at) {
    std::tm local{};
    ::localtime_r(&at, &local);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%F %T", &local);
    return text.data();
}

}  // namespace

tl::expected<ReloadTime, std::string> read_reload_time(std::string_view text, std::time_t now) {
    std::string_view rest = trimmed(text);
    const bool is_utc = rest.ends_with('Z');
    if (is_utc) rest = trimmed(rest.substr(0, rest.size() - 1));
    std::tm time{};
    const bool is_daily = has_form(rest, "99:99:99");
    const bool has_century = has_form(rest, "9999-99-99 99:99:99");
    const bool is_dated = has_century || has_form(rest, "99-99-99 99:99:99");
    if (!is_daily && !is_dated) return tl::unexpected(std::string("expected HH:MM:SS, YY-MM-DD HH:MM:SS or YYYY-MM-DD HH:MM:SS, and a Z behind it for UTC"));
    if (!read_clock(rest.substr(rest.size() - 8), time)) return tl::unexpected(std::string("there is no such time of day"));
    if (is_daily) return next_daily(time, is_utc, now);
    if (!read_date(rest, has_century ? 2 : 0, time)) return tl::unexpected(std::string("there is no such day"));
    return ReloadTime{to_wall_clock(time, is_utc), false};
}

void ReloadSchedule::configure(const std::string& path, bool repeats) {
    repeats_ = repeats;
    if (path == path_) return;
    path_ = path;
    seen_.reset();
    due_.reset();
}

bool ReloadSchedule::is_due(std::time_t now) {
    if (!is_waiting()) return false;
    look(now);
    if (!due_ || now < due_->at) return false;
    finish(now);
    return true;
}

void ReloadSchedule::look(std::time_t now) {
    struct stat entry {};
    if (::stat(path_.c_str(), &entry) != 0) {
        seen_.reset();
        due_.reset();
        return;
    }
    const Stamp stamp{entry.st_ino, entry.st_size, entry.st_mtim.tv_sec, entry.st_mtim.tv_nsec};
    if (seen_ == stamp) return;
    seen_ = stamp;
    due_.reset();
    read(now);
}

void ReloadSchedule::read(std::time_t now) {
    const io::FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::array<char, longest_text> text{};
    const ssize_t size = file.is_open() ? ::read(file.get(), text.data(), text.size()) : -1;
    if (size < 0) return spdlog::error("Cannot read {}: {}; no reload at a time of day", path_, std::strerror(errno));
    if (size == 0) return;   // somebody is about to write it
    const auto time = read_reload_time({text.data(), static_cast<std::size_t>(size)}, now);
    if (!time) return spdlog::error("{}: {}", path_, time.error());
    if (time->at <= now) return spdlog::error("{}: {} is over, nothing is reloaded", path_, text_of(time->at));
    due_ = *time;
    spdlog::info("Reload at {} ({})", text_of(due_->at), path_);
}

void ReloadSchedule::finish(std::time_t now) {
    const bool is_daily = due_->is_daily;
    due_.reset();
    if (repeats_ && is_daily) return read(now);
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT) spdlog::warn("Cannot remove {}: {}", path_, std::strerror(errno));
}

}  // namespace vigil::daemon

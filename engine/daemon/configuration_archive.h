#pragma once

#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::daemon {

/// config_save_dir: what a process made of its configuration before and after each reload, in files that are never overwritten by another run.
/// Another thread writes them: a disc may be slow.
class ConfigurationArchive {
public:
    /// `process`: "vrrp", of the file names. `report` is called by the writing thread when something fails, with a sentence.
    ConfigurationArchive(std::string process, std::function<void(std::string)> report) : process_(std::move(process)), report_(std::move(report)) {}

    /// "keepalived_PROCESS.PID.N.pre", where N counts the reloads from 0. An empty directory: nothing is written. Makes the directory, for the daemon's
    /// user alone.
    void save_before(std::string_view directory, std::string text) { save(directory, "pre", std::move(text)); }
    /// The same with ".post"; the next reload has the next number.
    void save_after(std::string_view directory, std::string text);

private:
    void save(std::string_view directory, const char* suffix, std::string text);

    std::string process_;
    std::function<void(std::string)> report_;
    unsigned number_ = 0;
    std::vector<std::future<void>> writers_;
};

}  // namespace vigil::daemon

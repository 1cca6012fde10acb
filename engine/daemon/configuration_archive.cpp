#include "engine/daemon/configuration_archive.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "engine/daemon/dump_file.h"

namespace vigil::daemon {

void ConfigurationArchive::save_after(std::string_view directory, std::string text) {
    save(directory, "post", std::move(text));
    ++number_;
}

void ConfigurationArchive::save(std::string_view directory, const char* suffix, std::string text) {
    std::erase_if(writers_, [](const std::future<void>& writer) { return writer.wait_for(std::chrono::seconds{0}) == std::future_status::ready; });
    if (directory.empty()) return;
    const std::string path = fmt::format("{}/keepalived_{}.{}.{}.{}", directory, process_, ::getpid(), number_, suffix);
    auto write = [this, directory = std::string(directory), path, text = std::move(text)] {
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return report_(fmt::format("config_save_dir: cannot make {}: {}", directory, std::strerror(errno)));
        if (const auto written = write_dump_file({path, ""}, text); !written) report_("config_save_dir: " + written.error());
    };
    try {
        writers_.push_back(std::async(std::launch::async, std::move(write)));
    } catch (const std::system_error& error) {   // no thread to be had
        report_(fmt::format("config_save_dir: {}", error.what()));
    }
}

}  // namespace vigil::daemon

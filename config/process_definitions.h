#pragma once

#include "config/script.h"

/// What global_defs says about the processes and the host, not about the protocol.
namespace vigil::config {

/// How a reload comes about, and what is kept of it.
struct ReloadDefinitions {
    bool checks_first = false;           ///< reload_check_config: a file that a configuration test has complaints about is not loaded
    std::string_view check_log;          ///< absolute; gets the report of that test; empty: nobody does
    bool makes_file = false;             ///< reload_file: it exists while a new configuration is being read
    std::string_view file;               ///< absolute; empty: keepalived.reload beside the pid file
    std::string_view time_file;          ///< absolute; a time in it means a reload then; empty: none
    bool repeats = false;                ///< reload_repeat: a time without a date means every day, and the file stays
    std::string_view save_directory;     ///< config_save_dir: absolute; the configuration before and after a reload goes there; empty: nowhere

    friend bool operator==(const ReloadDefinitions&, const ReloadDefinitions&) = default;
};

struct ProcessDefinitions {
    ReloadDefinitions reload;

    friend bool operator==(const ProcessDefinitions&, const ProcessDefinitions&) = default;
};

}  // namespace vigil::config

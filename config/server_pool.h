#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "config/server_model.h"

namespace vigil::config {

/// Keeps equal settings and equal lists of checkers once. What the file does not say may be put in later, for all that share it.
class ServerPool {
public:
    Shared<RealServerSettings> keep(RealServerSettings settings);
    Shared<CheckerList> keep(CheckerList checkers);

    /// Calls visit(RealServerSettings&) for each that is kept.
    template <typename Visit>
    void for_each_settings(Visit visit) {
        for (auto& [key, settings] : settings_) visit(*settings);
    }
    /// Calls visit(CheckerList&) for each that is kept.
    template <typename Visit>
    void for_each_list(Visit visit) {
        for (auto& [key, list] : lists_) visit(*list);
    }

private:
    std::unordered_map<std::string, std::shared_ptr<RealServerSettings>> settings_;
    std::unordered_map<std::string, std::shared_ptr<CheckerList>> lists_;
};

}  // namespace vigil::config

#pragma once

#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>

#include "config/model.h"
#include "engine/daemon/lvs_plan.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/trackers/bfd_tracker.h"
#include "engine/daemon/trackers/file_tracker.h"

namespace vigil::daemon {

/// FILE_CHECK and BFD_CHECK: nobody is asked, somebody tells. Outlives configurations. Checkers' control thread.
class ExternalChecks {
public:
    /// `on_change`: the file, or the session, of this name says something else. `bfd_fd` as for BfdTracker.
    using OnChange = std::function<void(ExternalCheck::Kind kind, const std::string& name)>;
    ExternalChecks(boost::asio::io_context& io, RateLimiter& limiter, int bfd_fd, OnChange on_change);

    /// What the checks of this plan need, from now on. `writes_files`: of init_file, which is the VRRP process's business when there is one.
    void configure(const LvsPlan& plan, const config::Configuration& configuration, bool writes_files);
    ipvs::CheckResult result(const ExternalCheck& check) const;
    /// "file F", "BFD session S": for the log.
    static std::string describe(const ExternalCheck& check);
    void tick() { files_.tick(); }

private:
    TrackedThings things_;
    FileTracker files_;
    BfdTracker sessions_;
};

}  // namespace vigil::daemon

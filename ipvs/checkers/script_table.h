#pragma once

#include <sys/types.h>

#include <map>
#include <functional>
#include <utility>

#include "ipvs/checkers/resources.h"

namespace vigil::checkers {

/// The programs of MISC_CHECK that run, and who waits for each.
class ScriptTable {
public:
    using OnEnd = std::function<void(int status)>;

    explicit ScriptTable(ScriptStarter& starter) : starter_(starter) {}

    ScriptStarter& starter() { return starter_; }
    void watch(pid_t pid, OnEnd on_end) { running_[pid] = std::move(on_end); }
    void forget(pid_t pid) { running_.erase(pid); }
    std::size_t size() const { return running_.size(); }

    /// `status` as waitpid() gives it. False: the process is not one of these.
    bool on_process_end(pid_t pid, int status) {
        const auto found = running_.extract(pid);
        if (found.empty()) return false;
        found.mapped()(status);
        return true;
    }

private:
    ScriptStarter& starter_;
    std::map<pid_t, OnEnd> running_;
};

}  // namespace vigil::checkers

#include "engine/daemon/external_checks.h"

#include <set>

#include <fmt/format.h>

namespace vigil::daemon {

ExternalChecks::ExternalChecks(boost::asio::io_context& io, RateLimiter& limiter, int bfd_fd, OnChange on_change)
    : files_(io, things_, limiter), sessions_(io, things_, bfd_fd) {
    things_.listen([this, on_change = std::move(on_change)](ThingIndex index) {
        const Thing& thing = things_[index];
        on_change(thing.kind == ThingKind::file ? ExternalCheck::Kind::file : ExternalCheck::Kind::session, thing.name);
    });
}

void ExternalChecks::configure(const LvsPlan& plan, const config::Configuration& configuration, bool writes_files) {
    std::set<std::string, std::less<>> files;
    std::set<std::string> sessions;
    for (const PlannedCheck& check : plan.checks) {
        const auto* const external = std::get_if<ExternalCheck>(&check);
        if (external == nullptr) continue;
        if (external->kind == ExternalCheck::Kind::file) files.insert(external->name());
        else sessions.insert(external->name());
    }
    std::vector<FileDefinition> definitions;
    for (const config::TrackedFile& file : configuration.tracked_files) {
        if (!files.contains(file.name)) continue;
        definitions.push_back({std::string(file.name), std::string(file.path), writes_files ? file.initial_value : std::nullopt, writes_files && file.overwrite});
    }
    files_.configure(std::move(definitions), writes_files);
    std::set<std::string> known;
    for (const std::string& name : sessions) {
        if (things_.find(ThingKind::bfd, name) != ThingIndex::none) known.insert(name);
    }
    sessions_.configure({sessions.begin(), sessions.end()});
    // Until the BFD process has spoken of one, alpha decides.
    for (const std::string& name : sessions) {
        if (!known.contains(name)) things_.forget_state(things_.find(ThingKind::bfd, name));
    }
}

ipvs::CheckResult ExternalChecks::result(const ExternalCheck& check) const {
    const bool is_file = check.kind == ExternalCheck::Kind::file;
    const ThingIndex index = things_.find(is_file ? ThingKind::file : ThingKind::bfd, check.name());
    if (index == ThingIndex::none) return {};
    const Thing& thing = things_[index];
    if (is_file) return judge_file(check.file, thing.value);
    if (thing.is_ignored) return {};
    return {.is_up = thing.is_known ? thing.is_up : !check.is_down_at_start};
}

std::string ExternalChecks::describe(const ExternalCheck& check) {
    return fmt::format("{} of {}", check.kind == ExternalCheck::Kind::file ? "FILE_CHECK" : "BFD_CHECK", check.name());
}

}  // namespace vigil::daemon

// From the plan and the snapshot to what vigil-snmp knows. The order of the parts is that of snmp::Picture::fields(): lists are written by their count and then one by
// one, so that 65,280 instances are never in memory twice.

#include "engine/daemon/snmp_picture.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/daemon/version.h"
#include "engine/snmp/codec.h"

namespace vigil::daemon {
namespace {

constexpr std::int64_t microseconds_per_tick = 10'000;

std::uint32_t whole_seconds(Nanoseconds time) { return static_cast<std::uint32_t>(time.count() / 1'000'000'000); }
std::uint32_t microseconds(Nanoseconds time) { return static_cast<std::uint32_t>(time.count() / 1'000); }

snmp::Scripts scripts_of(const std::vector<config::NotifyScript>& scripts) {
    using config::ScriptEvent;
    const auto command = [&](ScriptEvent event) {
        const config::NotifyScript* script = config::find_script(scripts, event);
        return script == nullptr ? std::string() : std::string(script->command);
    };
    return {.master = command(ScriptEvent::master), .backup = command(ScriptEvent::backup), .fault = command(ScriptEvent::fault), .stop = command(ScriptEvent::stop),
            .any = command(ScriptEvent::any), .lower_priority = command(ScriptEvent::master_rx_lower_priority), .deleted = command(ScriptEvent::deleted)};
}

class Drawing {
public:
    explicit Drawing(const SnmpPictureInput& input) : in_(input), plan_(*input.dump.plan), out_(text_) {
        for (const config::VrrpScript& one : in_.configuration.scripts) scripts_[one.name] = {one.weight, one.weight_reverse};
        for (const config::TrackedFile& one : in_.configuration.tracked_files) files_[one.name] = {one.weight, one.weight_reverse};
        for (const config::TrackedProcess& one : in_.configuration.tracked_processes) processes_[one.name] = {one.weight, one.weight_reverse};
        for (const config::BfdInstance& one : in_.configuration.bfd_instances) bfds_[one.name] = {one.weight, one.weight_reverse};
    }

    std::string draw() {
        out_.put(global());
        add_groups();
        add_trackers();
        add_static_objects();
        add_instances();
        return std::move(text_);
    }

private:
    struct Weight {
        std::int32_t weight = 0;
        bool reverse = false;
    };
    using Weights = std::unordered_map<std::string_view, Weight>;

    snmp::Global global() const;
    void add_groups();
    void add_trackers();
    void add_static_objects();
    void add_instances();
    std::vector<snmp::Tracked> tracked(const std::vector<config::TrackedItem>& items, const Weights& usual) const;
    snmp::Settings settings_of(const config::VrrpInstance& instance) const;
    snmp::Instance instance_of(std::size_t i) const;
    snmp::Address address_of(std::size_t router, std::size_t k) const;
    snmp::Nexthop hop_of(const config::RouteNexthop& hop) const;
    snmp::Route route_of(const config::ConfiguredRoute& route, bool is_set) const;
    static snmp::Rule rule_of(const config::ConfiguredRule& rule, bool is_set);
    const Thing* find_thing(ThingKind kind, std::string_view name) const {
        const ThingIndex index = in_.things.find(kind, name);
        return index == ThingIndex::none ? nullptr : &in_.things[index];
    }

    const SnmpPictureInput& in_;
    const Plan& plan_;
    std::string text_;
    snmp::Encoder out_;
    Weights scripts_, files_, processes_, bfds_;
    std::unordered_map<const config::VrrpInstance*, std::uint32_t> settings_;
};

snmp::Global Drawing::global() const {
    const config::GlobalDefinitions& defined = in_.configuration.global;
    const auto& errors = in_.dump.snapshot->engine.errors;
    const auto count = [&](packet::ReceiveError error) { return errors[static_cast<std::size_t>(error)]; };
    snmp::Global global;
    global.version = fmt::format("vigil v{}", version);
    global.router_id = defined.router_id;
    global.smtp_server = defined.smtp_server;
    global.smtp_port = defined.smtp_port;
    global.smtp_timeout = whole_seconds(defined.smtp_connect_timeout);
    global.mail_from = defined.notification_email_from;
    global.mail_to.assign(defined.notification_email.begin(), defined.notification_email.end());
    global.mails_faults = !defined.no_email_faults;
    global.has_traps = in_.has_traps;
    global.net_namespace = defined.net_namespace;
    global.checksum_errors = count(packet::ReceiveError::bad_checksum);
    global.version_errors = count(packet::ReceiveError::bad_version);
    global.vrid_errors = count(packet::ReceiveError::unknown_vrid);
    return global;
}

/// What an entry does not say is as what it names says.
std::vector<snmp::Tracked> Drawing::tracked(const std::vector<config::TrackedItem>& items, const Weights& usual) const {
    std::vector<snmp::Tracked> list;
    for (const config::TrackedItem& item : items) {
        const auto found = usual.find(item.name);
        const Weight weight = item.weight || found == usual.end() ? Weight{item.weight.value_or(0), item.reverse} : found->second;
        list.push_back({std::string(item.name), weight.weight, weight.reverse, in_.interface_index(item.name)});
    }
    return list;
}

void Drawing::add_groups() {
    const auto& groups = in_.configuration.sync_groups;
    out_.put_size(plan_.groups.size());
    for (const PlannedGroup& planned : plan_.groups) {
        snmp::Group group{.name = std::string(planned.name), .smtp_alert = planned.smtp_alert, .scripts = scripts_of(planned.scripts), .members = {}, .tracked = {}};
        for (const auto& [known, state] : in_.groups) {
            if (known == &planned) group.state = state_of(state);
        }
        const auto found = std::find_if(groups.begin(), groups.end(), [&](const config::VrrpSyncGroup& one) { return one.name == planned.name; });
        if (found != groups.end()) {
            group.tracking_weight = found->tracking_weight;
            for (const config::GroupMember& member : found->members) group.members.emplace_back(member.name);
            group.tracked = {tracked(found->track_interfaces, {}), tracked(found->track_scripts, scripts_), tracked(found->track_files, files_),
                             tracked(found->track_bfds, bfds_), tracked(found->track_processes, processes_)};
        }
        out_.put(group);
    }
}

void Drawing::add_trackers() {
    constexpr std::uint8_t init = 1, bad = 2, good = 3, init_failed = 5;
    std::vector<snmp::Script> scripts;
    for (const config::VrrpScript& one : in_.configuration.scripts) {
        const Thing* thing = find_thing(ThingKind::script, one.name);
        const bool is_known = thing != nullptr && thing->is_known;
        const std::uint8_t result = is_known ? (thing->is_up ? good : bad) : one.init_fail ? init_failed : init;
        scripts.push_back({std::string(one.name), std::string(one.command.command), whole_seconds(one.interval), one.weight, one.weight_reverse, result, one.rise, one.fall});
    }
    std::vector<snmp::File> files;
    for (const config::TrackedFile& one : in_.configuration.tracked_files) {
        const Thing* thing = find_thing(ThingKind::file, one.name);
        files.push_back({std::string(one.name), std::string(one.path), thing == nullptr ? 0 : thing->value, one.weight, one.weight_reverse});
    }
    std::vector<snmp::File> bfds;
    for (const config::BfdInstance& one : in_.configuration.bfd_instances) {
        if (!one.vrrp) continue;
        const Thing* thing = find_thing(ThingKind::bfd, one.name);
        bfds.push_back({std::string(one.name), {}, thing != nullptr && thing->is_up ? 1 : 0, one.weight, one.weight_reverse});
    }
    std::vector<snmp::Process> processes;
    for (const config::TrackedProcess& one : in_.configuration.tracked_processes) {
        const auto standing = in_.dump.process_standing(std::string(one.name)).value_or(ProcessStanding{});
        std::string parameters;
        for (const std::string_view word : one.parameters) (parameters += parameters.empty() ? "" : " ") += word;
        const std::int32_t most = one.quorum_max == config::TrackedProcess::unlimited ? -1 : static_cast<std::int32_t>(one.quorum_max);
        processes.push_back({std::string(one.name), std::string(one.program), std::move(parameters), static_cast<std::uint8_t>(one.match), one.weight, one.weight_reverse,
                             one.quorum, most, microseconds(one.fork_delay), microseconds(one.terminate_delay), one.full_command,
                             static_cast<std::int32_t>(standing.count), standing.has_quorum});
    }
    out_.put(scripts);
    out_.put(files);
    out_.put(bfds);
    out_.put(processes);
}

snmp::Address address_with(const config::ConfiguredAddress& settings, const IpAddress& address, std::uint8_t prefix_length) {
    snmp::Address result;
    result.address = address;
    result.prefix_length = prefix_length;
    result.broadcast = settings.broadcast;
    result.peer = settings.peer;
    result.scope = settings.scope;
    result.label = settings.label;
    return result;
}

void Drawing::add_static_objects() {
    const config::Configuration& configuration = in_.configuration;
    out_.put_size(configuration.static_addresses.size());
    for (const config::StaticAddress& one : configuration.static_addresses) {
        snmp::Address address = address_with(one.address, one.address.address, one.address.prefix_length);
        address.interface = one.address.device;
        address.interface_index = in_.interface_index(one.address.device);
        address.is_set = address.interface_index != 0;
        out_.put(address);
    }
    out_.put_size(configuration.static_routes.size());
    for (const config::ConfiguredRoute& one : configuration.static_routes) out_.put(route_of(one, true));
    out_.put_size(configuration.static_rules.size());
    for (const config::ConfiguredRule& one : configuration.static_rules) out_.put(rule_of(one, true));
}

snmp::Nexthop Drawing::hop_of(const config::RouteNexthop& hop) const {
    return {.gateway = hop.gateway, .interface_index = hop.device.empty() ? 0 : in_.interface_index(hop.device), .interface = std::string(hop.device),
            .weight = hop.weight, .is_onlink = hop.is_onlink, .realms = hop.realms};
}

snmp::Route Drawing::route_of(const config::ConfiguredRoute& route, bool is_set) const {
    snmp::Route result;
    result.destination = route.destination.address;
    result.prefix_length = route.destination.length;
    result.next = hop_of(route.next);
    for (const config::RouteNexthop& hop : route.nexthops) result.nexthops.push_back(hop_of(hop));
    result.preferred_source = route.preferred_source;
    if (route.source) result.from = route.source->address;
    if (route.source) result.from_length = route.source->length;
    result.metric = route.metric.value_or(0);
    result.scope = route.scope.value_or(0);
    result.type = static_cast<std::uint8_t>(route.type);
    result.table = route.table == 0 ? config::main_table : route.table;
    result.tos = route.tos;
    result.protocol = route.protocol.value_or(config::keepalived_protocol);
    result.expires = route.expires;
    result.preference = route.preference;
    result.congestion_control = route.congestion_control;
    for (const config::MetricValue& one : route.metrics) result.metrics.push_back({static_cast<std::uint8_t>(one.metric), one.value, one.is_locked});
    result.is_set = is_set;
    return result;
}

snmp::Rule Drawing::rule_of(const config::ConfiguredRule& rule, bool is_set) {
    snmp::Rule result;
    result.family = rule.family;
    if (rule.from) result.from = rule.from->address;
    if (rule.from) result.from_length = rule.from->length;
    if (rule.to) result.to = rule.to->address;
    if (rule.to) result.to_length = rule.to->length;
    result.action = static_cast<std::uint8_t>(rule.action);
    result.table = rule.table;
    result.go_to = rule.go_to;
    result.priority = rule.priority;
    result.is_inverted = rule.is_inverted;
    result.is_l3mdev = rule.is_l3mdev;
    result.input = rule.input_device;
    result.output = rule.output_device;
    result.tos = rule.tos;
    result.protocol = rule.protocol.value_or(0);
    result.realms = rule.realms;
    result.ip_protocol = rule.ip_protocol;
    result.mark = rule.mark;
    result.mark_mask = rule.mark_mask;
    const auto ends = [](const std::optional<config::NumberRange>& range, std::optional<std::uint32_t>& first, std::optional<std::uint32_t>& last) {
        if (!range) return;
        first = range->first;
        last = range->last;
    };
    ends(rule.user_ids, result.user_first, result.user_last);
    ends(rule.source_ports, result.source_first, result.source_last);
    ends(rule.destination_ports, result.destination_first, result.destination_last);
    result.suppressed_length = rule.suppressed_prefix_length;
    result.suppressed_group = rule.suppressed_group;
    result.tunnel_id = rule.tunnel_id;
    result.is_set = is_set;
    return result;
}

snmp::Settings Drawing::settings_of(const config::VrrpInstance& instance) const {
    snmp::Settings settings;
    settings.initial_state = instance.state == config::InitialState::master ? snmp::State::master : snmp::State::backup;
    settings.tracks_primary = !instance.dont_track_primary;
    settings.interval = instance.advert_int.count();
    settings.preempts = !instance.nopreempt;
    settings.preempt_delay = whole_seconds(instance.preempt_delay);
    settings.auth_type = static_cast<std::uint8_t>(instance.auth_type);
    settings.garp_delay = whole_seconds(instance.announcements.delay);
    settings.smtp_alert = instance.smtp_alert;
    settings.accepts = instance.accept;
    settings.version = to_number(instance.version);
    settings.notifies_deleted = instance.notify_deleted;
    settings.group = instance.multicast_group;
    settings.scripts = scripts_of(instance.scripts);
    settings.tracked = {tracked(instance.track_interfaces, {}), tracked(instance.track_scripts, scripts_), tracked(instance.track_files, files_),
                        tracked(instance.track_bfds, bfds_), tracked(instance.track_processes, processes_)};
    return settings;
}

snmp::Address Drawing::address_of(std::size_t i, std::size_t k) const {
    const PlannedRouter& router = plan_.routers[i];
    const PlannedAddress& planned = plan_.addresses[router.first_address + k];
    snmp::Address address = address_with(*planned.settings, planned.address, planned.prefix_length);
    if (planned.link != engine::LinkIndex::none) {
        const PlannedLink& link = plan_.links[engine::to_number(planned.link)];
        address.interface = link.name;
        address.interface_index = link.interface_index;
    } else {
        address.interface = in_.dump.virtual_device(i, planned.device);
        address.interface_index = in_.device_index(i, planned.device);
    }
    address.is_set = in_.dump.is_present(router.first_address + k);
    address.is_advertised = k < router.advertised_count;
    return address;
}

snmp::Instance Drawing::instance_of(std::size_t i) const {
    const PlannedRouter& router = plan_.routers[i];
    const io::RouterSnapshot& now = in_.dump.snapshot->routers[i];
    const RouterStatus& status = (*in_.dump.statuses)[i];
    const OperatorState state = operator_state(now.record.state, now.record.faults);
    snmp::Instance one;
    one.name = router.name;
    one.settings = settings_.at(router.settings);
    if (router.group != engine::GroupIndex::none) one.group = static_cast<std::uint32_t>(engine::to_number(router.group));
    one.vrid = to_number(router.vrid);
    one.family = router.settings->family;
    one.state = state_of(state);
    one.base_priority = router.base_priority;
    one.effective_priority = to_number(now.record.priority);
    one.interface = router.interface();
    if (router.link != engine::LinkIndex::none) {
        one.interface_index = plan_.links[engine::to_number(router.link)].interface_index;
        one.mac = plan_.engine.links[engine::to_number(router.link)].mac;
    }
    if (router.settings->virtual_mac.enabled) one.mac = router.virtual_mac();
    one.source = router.source.value_or(IpAddress{{}, one.family});
    const bool is_master = state == OperatorState::master;
    one.master = is_master ? one.source : state == OperatorState::backup ? IpAddress{status.last_peer, one.family} : IpAddress{{}, one.family};
    if (is_master) one.reason = new_master_reason(status.last_reason);
    std::int64_t began = in_.began(router.name);
    const bool is_elected = is_master || state == OperatorState::backup;
    if (began == 0 && is_elected) began = status.since_wall_microseconds;   // SNMP came later
    if (began != 0) {
        one.age_ticks = static_cast<std::uint64_t>(std::max<std::int64_t>(1, (in_.now_microseconds - began) / microseconds_per_tick));
    }
    for (std::size_t k = 0; k < router.address_count; ++k) one.addresses.push_back(address_of(i, k));
    if (const auto objects = plan_.objects.find(router.name); objects != plan_.objects.end()) {
        for (const config::ConfiguredRoute& route : objects->second.routes) one.routes.push_back(route_of(route, is_master));
        for (const config::ConfiguredRule& rule : objects->second.rules) one.rules.push_back(rule_of(rule, is_master));
    }
    const engine::RouterCounters& counted = now.counters;
    one.counters = {.adverts_received = counted.adverts_received, .became_active = counted.became_active, .interval_errors = counted.interval_mismatch,
                    .auth_failures = counted.auth_failed, .ttl_errors = counted.ttl_errors, .stop_received = counted.stop_received, .stop_sent = counted.stop_sent,
                    .type_errors = counted.type_errors, .address_list_errors = counted.address_list_differs, .auth_type_unknown = counted.auth_type_unknown,
                    .auth_type_mismatch = counted.auth_type_mismatch, .length_errors = counted.length_errors};
    return one;
}

void Drawing::add_instances() {
    const auto& pool = plan_.settings.instances();
    out_.put_size(pool.size());
    for (const config::VrrpInstance& one : pool) {
        settings_.emplace(&one, static_cast<std::uint32_t>(settings_.size()));
        out_.put(settings_of(one));
    }
    out_.put_size(plan_.routers.size());
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) out_.put(instance_of(i));
}

}  // namespace

std::string snmp_picture(const SnmpPictureInput& input) { return Drawing(input).draw(); }

snmp::State state_of(OperatorState state) {
    switch (state) {
    case OperatorState::init: return snmp::State::init;
    case OperatorState::backup: return snmp::State::backup;
    case OperatorState::master: return snmp::State::master;
    case OperatorState::fault: return snmp::State::fault;
    case OperatorState::deleted: return snmp::State::deleted;
    case OperatorState::stop: return snmp::State::shutdown;
    }
    return snmp::State::init;
}

/// RFC 6527 has three: the highest priority, a lower Active preempted, an Active that fell silent.
snmp::NewMasterReason new_master_reason(engine::Reason reason) {
    switch (reason) {
    case engine::Reason::startup: return snmp::NewMasterReason::priority;
    case engine::Reason::lower_heard:
    case engine::Reason::priority_changed:
    case engine::Reason::sync_group: return snmp::NewMasterReason::preempted;
    default: return snmp::NewMasterReason::no_response;
    }
}

}  // namespace vigil::daemon

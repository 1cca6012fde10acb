/// vrrp_instance: from its block to a VrrpInstance and an InstanceDraft. What depends on other instances, on defaults or on the order
/// of keywords is left to validate(); here each keyword only leaves its value. The last one of a repeated keyword counts,
/// the first one of a notify script, as in keepalived.

#include <algorithm>
#include <cstring>

#include "config/handler_table.h"
#include "config/interpreter.h"
#include "config/keyword_rows.h"
#include "config/values.h"

namespace vigil::config {

namespace {

struct Target {
    Context& context;
    VrrpInstance& instance;
    InstanceDraft& draft;
};
using Handler = void (*)(Target&, const Node&);

std::uint32_t number_of(const Node& node) { return static_cast<std::uint32_t>(read_number(node.word(1))->value); }
bool flag_of(const Node& node) { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); }

void read_state(Target& target, const Node& node) {
    const std::string_view word = node.word(1);
    target.instance.state = word == "MASTER" ? InitialState::master : InitialState::backup;
    if (word == "MASTER" || word == "BACKUP") return;
    target.context.reporter.error(node.line(), word, "'state' expects MASTER or BACKUP, not '" + std::string(word) + "': BACKUP is used",
                                  "priority decides who is Active, state hardly matters");
}

void read_interface(Target& target, const Node& node) {
    target.instance.interface = target.context.texts.intern(node.word(1));
    target.instance.interface_where = node.where(1);
}

void read_authentication(Target& target, const Node& block) {
    block.for_each_child([&](const Node& node) {
        if (node.statement().is_deaf || !check_arguments(target.context.reporter, node)) return;
        const std::string_view value = node.word(1);
        if (node.word(0) == "auth_type") {
            target.draft.has_auth_type = true;
            target.instance.auth_type = value == "AH" ? AuthenticationType::ah : AuthenticationType::simple_password;
            return;
        }
        target.draft.has_auth_pass = !value.empty();
        note_secret(target.context, node, SecretKind::password);
        target.instance.auth_pass = {};
        std::memcpy(target.instance.auth_pass.data(), value.data(), std::min<std::size_t>(value.size(), 8));
        if (value.size() > 8) {
            target.context.reporter.warning(node.line(), value.substr(8), "only the first 8 octets of 'auth_pass' are used",
                                            "the same 8 octets are all that the other routers compare");
        }
    });
}

void read_unicast_src(Target& target, const Node& node) { target.instance.source_address = read_address(node.word(1)); }

void read_multicast_destination(Target& target, const Node& node) {
    const auto group = read_address(node.word(1));
    if (group->is_multicast()) target.draft.multicast_group = group;
    else target.context.reporter.error(node.line(), node.word(1), "'mcast_dst_ip' expects a multicast address: ignored");
}

void read_old_unicast_checksum(Target& target, const Node& node) {
    if (node.word_count() > 1 && node.word(1) != "never") {
        target.context.reporter.error(node.line(), node.word(1), "'old_unicast_checksum' stands alone or with 'never': ignored");
        return;
    }
    target.instance.old_unicast_checksum = node.word_count() > 1 ? OldUnicastChecksum::never : OldUnicastChecksum::always;
}

void read_timer_expired(Target& target, const Node& node) {
    target.instance.timer_expired_backup = node.word_count() > 1 ? static_cast<std::uint8_t>(number_of(node)) : std::uint8_t{254};
}

void add_script(Target& target, const Node& node, ScriptEvent event) {
    const bool is_added = add_script(target.context, target.instance.scripts, node, event);
    if (event == ScriptEvent::deleted && (is_added || node.word_count() < 2)) target.instance.notify_deleted = true;  // alone it asks for the generic script
}

constexpr HandlerTable<Handler>::Row handler_rows[] = {
    {"state", read_state},
    {"interface", read_interface},
    {"virtual_router_id", [](Target& t, const Node& n) { t.instance.vrid = Vrid{static_cast<std::uint8_t>(number_of(n))}; }},
    {"priority", [](Target& t, const Node& n) { t.instance.priority = Priority{static_cast<std::uint8_t>(number_of(n))}; t.draft.has_priority = true; }},
    {"advert_int", [](Target& t, const Node& n) { t.draft.advert_int_us = static_cast<std::uint32_t>(read_seconds(n.word(1))->value); }},
    {"version", [](Target& t, const Node& n) { t.instance.version = static_cast<VrrpVersion>(number_of(n)); t.draft.has_version = true; }},
    {"authentication", read_authentication},
    {"auth_hmac", [](Target& t, const Node& n) { read_auth_hmac(t.context, t.instance, t.draft, n); }},
    {"virtual_ipaddress", [](Target& t, const Node& n) { read_addresses(t.context, t.instance.virtual_addresses, n); }},
    {"virtual_ipaddress_excluded", [](Target& t, const Node& n) { read_addresses(t.context, t.instance.excluded_addresses, n); }},
    {"virtual_routes", [](Target& t, const Node& n) { read_routes(t.context, t.instance.virtual_routes, n, false); }},
    {"virtual_rules", [](Target& t, const Node& n) { read_rules(t.context, t.instance.virtual_rules, n, false); }},
    {"no_virtual_ipaddress", [](Target& t, const Node&) { t.instance.no_virtual_ipaddress = true; }},
    {"nopreempt", [](Target& t, const Node&) { t.instance.nopreempt = true; }},
    {"preempt", [](Target& t, const Node&) { t.instance.nopreempt = false; }},
    {"preempt_delay", [](Target& t, const Node& n) { t.instance.preempt_delay = std::chrono::microseconds{read_seconds(n.word(1))->value}; }},
    {"use_vmac", [](Target& t, const Node& n) { read_use_vmac(t.context, t.instance, t.draft, n); }},
    {"use_vmac_addr", [](Target& t, const Node&) { t.instance.use_vmac_addr = true; }},
    {"timer_expired_backup", read_timer_expired},
    {"thread_timer_expired", read_timer_expired},
    {"vmac_xmit_base", [](Target& t, const Node&) { t.instance.vmac_xmit_base = true; }},
    {"vmac_mode", [](Target& t, const Node& n) { t.draft.vmac_mode = read_vmac_mode(n.word(1)); }},
    {"use_ipvlan", [](Target& t, const Node& n) { read_use_ipvlan(t.context, t.instance, n); }},
    {"vrf", [](Target& t, const Node& n) { t.instance.vrf = t.context.texts.intern(n.word(1)); }},
    {"unicast_peer", [](Target& t, const Node& n) { read_unicast_peers(t.context, t.instance, n); }},
    {"unicast_src_ip", read_unicast_src},
    {"mcast_src_ip", read_unicast_src},
    {"mcast_dst_ip", read_multicast_destination},
    {"unicast_ttl", [](Target& t, const Node& n) { t.instance.unicast_ttl = static_cast<std::uint8_t>(number_of(n)); }},
    {"check_unicast_src", [](Target& t, const Node&) { t.draft.check_unicast_src = true; }},
    {"unicast_fault_no_peer", [](Target& t, const Node&) { t.draft.fault_without_peer = true; }},
    {"old_unicast_checksum", read_old_unicast_checksum},
    {"native_ipv6", [](Target& t, const Node&) { t.draft.has_native_ipv6 = true; }},
    {"track_interface", [](Target& t, const Node& n) { read_tracked_items(t.context, {t.instance.track_interfaces, 253, nullptr}, t.draft, n); }},
    {"track_script", [](Target& t, const Node& n) { read_tracked_items(t.context, {t.instance.track_scripts, 253, &t.context.scripts}, t.draft, n); }},
    {"track_file", [](Target& t, const Node& n) { read_tracked_items(t.context, {t.instance.track_files, 254, &t.context.files}, t.draft, n); }},
    {"track_process", [](Target& t, const Node& n) { read_tracked_items(t.context, {t.instance.track_processes, 254, &t.context.processes}, t.draft, n); }},
    {"track_bfd", [](Target& t, const Node& n) { read_tracked_items(t.context, {t.instance.track_bfds, 253, &t.context.bfds}, t.draft, n); }},
    {"track_src_ip", [](Target& t, const Node&) { t.instance.track_src_ip = true; }},
    {"linkbeat_use_polling", [](Target& t, const Node&) { t.draft.polls_link = true; }},
    {"dont_track_primary", [](Target& t, const Node&) { t.instance.dont_track_primary = true; }},
    {"promote_secondaries", [](Target& t, const Node&) { t.instance.promote_secondaries = true; }},
    {"accept", [](Target& t, const Node&) { t.draft.accept = true; }},
    {"no_accept", [](Target& t, const Node&) { t.draft.accept = false; }},
    {"strict_mode", [](Target& t, const Node& n) { t.draft.strict_mode = flag_of(n); }},
    {"skip_check_adv_addr", [](Target& t, const Node& n) { t.instance.skip_check_adv_addr = flag_of(n); }},
    {"v3_checksum_as_v2", [](Target& t, const Node& n) { t.instance.v3_checksum_as_v2 = flag_of(n); }},
    {"down_timer_adverts", [](Target& t, const Node& n) { t.instance.down_timer_adverts = static_cast<std::uint8_t>(number_of(n)); }},
    {"garp_master_delay", [](Target& t, const Node& n) { t.instance.announcements.delay = std::chrono::seconds{number_of(n)}; }},
    {"garp_master_repeat", [](Target& t, const Node& n) { t.instance.announcements.repeat = std::max(1u, number_of(n)); }},
    {"garp_master_refresh", [](Target& t, const Node& n) { t.instance.announcements.refresh = std::chrono::seconds{number_of(n)}; }},
    {"garp_master_refresh_repeat", [](Target& t, const Node& n) { t.instance.announcements.refresh_repeat = std::max(1u, number_of(n)); }},
    {"garp_lower_prio_delay", [](Target& t, const Node& n) { t.draft.lower_prio_delay = number_of(n); }},
    {"garp_lower_prio_repeat", [](Target& t, const Node& n) { t.draft.lower_prio_repeat = number_of(n); }},
    {"garp_extra_if", [](Target& t, const Node& n) { read_extra_refresh(t.context, t.instance.announcements, n, 0); }},
    {"vmac_garp_intvl", [](Target& t, const Node& n) { read_extra_refresh(t.context, t.instance.announcements, n, 0); }},
    {"deleted_address", [](Target& t, const Node& n) { t.draft.steps_back_when_address_deleted = n.word(1) == "step_back"; }},
    {"lower_prio_no_advert", [](Target& t, const Node& n) { t.draft.lower_prio_no_advert = flag_of(n); }},
    {"higher_prio_send_advert", [](Target& t, const Node& n) { t.draft.higher_prio_send_advert = flag_of(n); }},
    {"owner_ignore_adverts", [](Target& t, const Node& n) { t.draft.owner_ignore_adverts = flag_of(n); }},
    {"debug", [](Target& t, const Node& n) { t.instance.debug = n.word_count() > 1 ? static_cast<std::uint8_t>(number_of(n)) : std::uint8_t{1}; }},
    {"notify_master", [](Target& t, const Node& n) { add_script(t, n, ScriptEvent::master); }},
    {"notify_backup", [](Target& t, const Node& n) { add_script(t, n, ScriptEvent::backup); }},
    {"notify_fault", [](Target& t, const Node& n) { add_script(t, n, ScriptEvent::fault); }},
    {"notify_stop", [](Target& t, const Node& n) { add_script(t, n, ScriptEvent::stop); }},
    {"notify", [](Target& t, const Node& n) { add_script(t, n, ScriptEvent::any); }},
    {"notify_deleted", [](Target& t, const Node& n) { add_script(t, n, ScriptEvent::deleted); }},
    {"notify_priority_changes", [](Target& t, const Node& n) { t.draft.notify_priority_changes = flag_of(n); }},
    {"smtp_alert", [](Target& t, const Node& n) { t.draft.smtp_alert = flag_of(n); }},
    {"notify_master_rx_lower_pri", [](Target& t, const Node& n) { add_script(t, n, ScriptEvent::master_rx_lower_priority); }},
};

constexpr HandlerTable<Place>::Row place_rows[] = {
    {"version", Place::version},
    {"advert_int", Place::advert_int},
    {"state", Place::state},
    {"priority", Place::priority},
    {"authentication", Place::authentication},
    {"auth_hmac", Place::auth_hmac},
    {"nopreempt", Place::nopreempt},
    {"timer_expired_backup", Place::timer_expired},
    {"thread_timer_expired", Place::timer_expired},
    {"preempt_delay", Place::preempt_delay},
    {"mcast_src_ip", Place::source_address},
    {"unicast_src_ip", Place::source_address},
    {"mcast_dst_ip", Place::multicast_group},
    {"unicast_peer", Place::unicast_peer},
    {"unicast_fault_no_peer", Place::fault_without_peer},
    {"use_vmac", Place::virtual_mac},
    {"vmac_xmit_base", Place::xmit_base},
    {"vmac_mode", Place::vmac_mode},
    {"down_timer_adverts", Place::down_timer},
    {"track_src_ip", Place::track_source},
    {"use_ipvlan", Place::ipvlan},
    {"vrf", Place::vrf},
};

VrrpInstance make_instance(Context& context, const Node& block) {
    const GlobalDefinitions& global = context.configuration.global;
    VrrpInstance instance;
    instance.name = context.texts.intern(block.word(1));
    instance.where = block.where(1);
    instance.announcements = global.announcements;
    instance.down_timer_adverts = global.vrrp_down_timer_adverts;
    instance.v3_checksum_as_v2 = global.v3_checksum_as_v2;
    instance.skip_check_adv_addr = global.vrrp_skip_check_adv_addr;
    return instance;
}

}  // namespace

void read_vrrp_instance(Context& context, const Node& block) {
    static const HandlerTable<Handler> handlers(rows::instance_keywords(), handler_rows);
    static const HandlerTable<Place> places(rows::instance_keywords(), place_rows);
    VrrpInstance instance = make_instance(context, block);
    InstanceDraft draft;
    draft.lower_prio_delay = context.global_draft.lower_prio_delay;
    draft.lower_prio_repeat = context.global_draft.lower_prio_repeat;
    Target target{context, instance, draft};
    block.for_each_child([&](const Node& node) {
        const Statement& statement = node.statement();
        report_deprecated(context.reporter, node);
        const Place place = places.find(statement.keyword);
        if (place != Place::none) draft.places[static_cast<std::size_t>(place)] = node.where();
        if (statement.is_deaf || !check_arguments(context.reporter, node)) {
            // A refused priority leaves the default 100, it must not become the 255 of "no priority, state MASTER".
            draft.has_priority = draft.has_priority || statement.keyword->name == "priority";
            return;
        }
        const Handler handler = handlers.find(statement.keyword);
        if (handler != nullptr) handler(target, node);
        else say_meaningless(context.reporter, node);
        if (statement.keyword->status == Status::later) report_later(context.reporter, node);
    });
    context.configuration.instances.push_back(std::move(instance));
    context.drafts.push_back(std::move(draft));
}

}  // namespace vigil::config

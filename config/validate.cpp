/// Second half of the work on instances: all keywords have been read, so defaults can be put in and values be held against each other.
/// The steps for one instance are ordered by what they need: family, then version, then what depends on the version. Strict
/// mode comes last, because it overrides. Only then an instance is held against those before it (conflicts.h), with hashed keys,
/// so that 65,280 of them cost no more than 65,280 times one.
///
/// An instance without VRID, interface or (in version 3) addresses cannot run. It is dropped with an error and the others stay.
/// keepalived stops as a whole there; that is left to whoever asks Diagnostics::has_errors().

#include <algorithm>
#include <set>

#include "config/conflicts.h"
#include "config/interpreter.h"

namespace vigil::config {

namespace {

constexpr std::size_t most_addresses = 255;       // the count field has 8 bits (RFC 9568 §5.2.5)
constexpr std::size_t most_ipv6_addresses = 90;   // 40 + 8 + 16 * 90 octets fit an Ethernet MTU of 1500
constexpr std::size_t most_signed_ipv6_addresses = 89;   // with the trailer of auth_hmac
constexpr std::uint32_t longest_v3_interval = 4095;  // centiseconds (RFC 9568 §5.2.7)

class InstanceValidator {
public:
    InstanceValidator(Context& context, TrackingValidator& tracking, VrrpInstance& instance, InstanceDraft& draft)
        : context_(context), tracking_(tracking), global_(context.configuration.global), instance_(instance), draft_(draft) {}

    /// False: it cannot be used, and that has been said. All is looked at in any case: people want to hear of all problems at once.
    bool validate() {
        instance_.strict_mode = draft_.strict_mode.value_or(global_.vrrp_strict);
        bool is_usable = has_required();
        settle_family();
        settle_version();
        settle_priority();
        settle_interval();
        settle_authentication();
        is_usable &= settle_auth_hmac(context_, instance_, draft_);
        is_usable &= settle_addresses();
        settle_vrf();
        is_usable &= settle_unicast();
        settle_virtual_mac();
        settle_ipvlan();
        settle_announcements();
        settle_options();
        if (instance_.strict_mode) apply_strict();
        settle_preemption();
        settle_tracking();
        return is_usable;
    }

private:
    void say(Severity severity, SourceLocation where, std::string text, std::string help = {}) {
        context_.reporter.report_at(severity, where, "(" + std::string(instance_.name) + ") " + std::move(text), std::move(help));
    }
    /// Where the keyword stands; the name of the instance when it was not written.
    SourceLocation at(Place place) const {
        const SourceLocation where = draft_.places[static_cast<std::size_t>(place)];
        return where.line != 0 ? where : instance_.where;
    }
    void error(Place place, std::string text, std::string help = {}) { say(Severity::error, at(place), std::move(text), std::move(help)); }
    void warning(Place place, std::string text, std::string help = {}) {
        say(Severity::warning, at(place), std::move(text), std::move(help));
    }
    void note(Place place, std::string text, std::string help = {}) { say(Severity::note, at(place), std::move(text), std::move(help)); }

    bool has_required() {
        bool has_all = true;
        if (to_number(instance_.vrid) == 0) {
            error(Place::none, "has no virtual_router_id: the instance is not used",
                  "write virtual_router_id NUMBER, 1 to 255, the same on all routers of the group");
            has_all = false;
        }
        if (instance_.interface == "lo") {
            error(Place::none, "cannot run on the loopback interface: the instance is not used", "write interface NAME with that of the LAN");
            return false;
        }
        if (instance_.interface.empty() && instance_.unicast_peers.empty()) {
            error(Place::none, "has no interface: the instance is not used", "write interface NAME");
            return false;
        }
        check_interface(instance_.interface, instance_.interface_where);
        return has_all;
    }

    void check_interface(std::string_view name, SourceLocation where) {
        const auto& is_known = context_.options.is_known_interface;
        if (name.empty() || !is_known || is_known(name)) return;
        say(context_.configuration.interfaces.may_be_absent ? Severity::note : Severity::warning, where, "there is no interface '" + std::string(name) + "'",
            "'ip link' lists those there are; the instance waits until this one appears");
    }

    /// The first virtual address decides; those of the other family are dropped.
    void settle_family() {
        auto& addresses = instance_.virtual_addresses;
        if (!addresses.empty()) instance_.family = addresses.front().address.family;
        else if (!instance_.unicast_peers.empty()) instance_.family = instance_.unicast_peers.front().address.family;
        else if (instance_.source_address) instance_.family = instance_.source_address->family;
        else if (draft_.has_native_ipv6) instance_.family = Family::ipv6;

        std::erase_if(addresses, [&](const ConfiguredAddress& address) {
            if (address.address.family == instance_.family) return false;
            say(Severity::error, address.where, "the virtual addresses of an instance are all IPv4 or all IPv6: this one is dropped",
                "move it to virtual_ipaddress_excluded, or to an instance of its own");
            return true;
        });
        std::erase_if(instance_.unicast_peers, [&](const UnicastPeer& peer) {
            if (peer.address.family == instance_.family) return false;
            say(Severity::error, peer.where, "a unicast peer has the family of the virtual addresses: this one is dropped");
            return true;
        });
        if (instance_.source_address && instance_.source_address->family != instance_.family) {
            error(Place::source_address, "the source address has another family than the virtual addresses: it is ignored");
            instance_.source_address.reset();
        }
        const bool is_ipv4 = instance_.family == Family::ipv4;
        instance_.multicast_group = is_ipv4 ? global_.vrrp_mcast_group4 : global_.vrrp_mcast_group6;
        if (!draft_.multicast_group) return;
        if (draft_.multicast_group->family == instance_.family) instance_.multicast_group = *draft_.multicast_group;
        else error(Place::multicast_group, "'mcast_dst_ip' has another family than the virtual addresses: it is ignored");
    }

    void settle_version() {
        const bool is_ipv6 = instance_.family == Family::ipv6;
        if (draft_.has_version && is_ipv6 && instance_.version == VrrpVersion::v2) {
            warning(Place::version, "VRRP version 2 knows no IPv6 (RFC 3768 §1): version 3 is used", "write version 3");
        }
        if (is_ipv6) instance_.version = VrrpVersion::v3;
        else if (!draft_.has_version) instance_.version = global_.vrrp_version;
    }

    void settle_priority() {
        const bool is_master = instance_.state == InitialState::master;
        if (draft_.has_priority || !is_master) return;
        instance_.priority = Priority::owner;
        note(Place::state, "'state MASTER' without priority means priority 255: it acts as the owner of the addresses", "write a priority");
    }

    void settle_interval() {
        const std::uint32_t us = draft_.advert_int_us;
        if (instance_.version == VrrpVersion::v2) {
            const std::uint32_t whole = std::max(1u, (us + 500'000) / 1'000'000);
            if (whole * 1'000'000 != us)
                warning(Place::advert_int, "advert_int is whole seconds in version 2: " + std::to_string(whole) + " is used",
                        "version 3 takes hundredths");
            instance_.advert_int = Centiseconds{static_cast<std::uint16_t>(whole * 100)};
            return;
        }
        std::uint32_t hundredths = std::max(1u, (us + 5'000) / 10'000);
        if (hundredths * 10'000 != us) warning(Place::advert_int, "advert_int is a multiple of 0.01 s: it is rounded");
        if (hundredths > longest_v3_interval) {
            warning(Place::advert_int, "advert_int is at most 40.95 s in version 3: 40.95 is used");
            hundredths = longest_v3_interval;
        }
        instance_.advert_int = Centiseconds{static_cast<std::uint16_t>(hundredths)};
    }

    void settle_authentication() {
        AuthenticationType& type = instance_.auth_type;
        if (!draft_.has_auth_type && !draft_.has_auth_pass) return;
        const auto refuse = [&](std::string text, std::string help) {
            error(Place::authentication, std::move(text), std::move(help));
            type = AuthenticationType::none;
            instance_.auth_pass = {};
        };
        if (draft_.has_auth_hmac) return refuse("auth_hmac replaces the authentication block: that is not used", "leave one of them out");
        if (instance_.version == VrrpVersion::v3) {
            return refuse("version 3 has no authentication (RFC 9568 §9): it is not used",
                          "leave the authentication block out, or write version 2");
        }
        if (instance_.strict_mode)
            return refuse("strict mode allows no authentication: it is not used",
                          "leave the authentication block out, or vrrp_strict");
        if (!draft_.has_auth_type) return refuse("has an auth_pass but no auth_type: no authentication is used", "write auth_type PASS");
        if (!draft_.has_auth_pass)
            return refuse("has an auth_type but no auth_pass: no authentication is used",
                          "write auth_pass, up to 8 octets, the same on all routers");
        if (type == AuthenticationType::ah && instance_.state == InitialState::master) {
            warning(Place::state, "'state MASTER' does not go with auth_type AH: BACKUP is used");
            instance_.state = InitialState::backup;
        }
    }

    bool settle_addresses() {
        auto& addresses = instance_.virtual_addresses;
        remove_duplicates(addresses);
        remove_duplicates(instance_.excluded_addresses);
        if (addresses.empty() && !instance_.no_virtual_ipaddress) {
            if (instance_.version == VrrpVersion::v3 || instance_.strict_mode) {
                error(Place::none, "has no virtual address, version 3 needs one: the instance is not used",
                      "write virtual_ipaddress { ADDRESS }, or no_virtual_ipaddress");
                return false;
            }
            warning(Place::none, "has no virtual address", "write virtual_ipaddress { ADDRESS }");
        }
        const std::size_t most_ipv6 = draft_.has_auth_hmac ? most_signed_ipv6_addresses : most_ipv6_addresses;
        const std::size_t most = instance_.family == Family::ipv4 ? most_addresses : most_ipv6;
        if (addresses.size() > most) {
            say(Severity::warning, addresses[most].where,
                "an advertisement carries at most " + std::to_string(most) + " of these addresses: the last " +
                    std::to_string(addresses.size() - most) + " are treated as virtual_ipaddress_excluded",
                "move them there; they are set all the same");
            auto& excluded = instance_.excluded_addresses;
            excluded.insert(excluded.begin(), addresses.begin() + static_cast<std::ptrdiff_t>(most), addresses.end());
            addresses.resize(most);
        }
        if (instance_.family == Family::ipv6 && !addresses.empty() && !addresses.front().address.is_link_local()) {
            const Severity severity = instance_.strict_mode ? Severity::warning : Severity::note;
            say(severity, addresses.front().where, "the first IPv6 address should be link-local (RFC 9568 §5.2.9)",
                "put an fe80:: address first");
        }
        return true;
    }

    /// Sorting an index finds them in n log n, also in a list of a hundred thousand; the first of equal ones stays.
    void remove_duplicates(std::vector<ConfiguredAddress>& addresses) {
        if (addresses.size() < 2) return;
        std::vector<std::uint32_t> order(addresses.size());
        for (std::uint32_t index = 0; index < order.size(); ++index) order[index] = index;
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return addresses[a].address != addresses[b].address ? addresses[a].address < addresses[b].address : a < b;
        });
        std::vector<bool> is_duplicate(addresses.size());
        bool found = false;
        for (std::size_t index = 1; index < order.size(); ++index) {
            if (addresses[order[index]].address != addresses[order[index - 1]].address) continue;
            is_duplicate[order[index]] = found = true;
            say(Severity::warning, addresses[order[index]].where, "this address is in the list already: ignored");
        }
        if (!found) return;
        std::size_t kept = 0;
        for (std::size_t index = 0; index < addresses.size(); ++index) {
            if (!is_duplicate[index]) addresses[kept++] = addresses[index];
        }
        addresses.resize(kept);
    }

    /// A peer that stands there twice would get each advert twice; one that is ourselves would be our own rival.
    void remove_useless_peers() {
        std::set<IpAddress> seen;
        std::erase_if(instance_.unicast_peers, [&](const UnicastPeer& peer) {
            if (peer.address == instance_.source_address) {
                say(Severity::error, peer.where, "the unicast peer " + to_string(peer.address) + " is our own source address: it is ignored", "write the addresses of the other routers");
                return true;
            }
            if (seen.insert(peer.address).second) return false;
            say(Severity::warning, peer.where, "the unicast peer " + to_string(peer.address) + " is in the list already: ignored");
            return true;
        });
    }

    bool settle_unicast() {
        remove_useless_peers();
        instance_.check_unicast_src = draft_.check_unicast_src.value_or(global_.vrrp_check_unicast_src);
        if (draft_.fault_without_peer && instance_.unicast_peers.empty() && !instance_.interface.empty()) {
            warning(Place::fault_without_peer, "has no unicast peer: it stays in FAULT", "write unicast_peer { ADDRESS }, or leave unicast_fault_no_peer out for multicast");
            instance_.lacks_peers = true;
            instance_.unicast = false;
            return true;
        }
        if (!instance_.unicast) return true;
        if (instance_.unicast_peers.empty()) {
            if (instance_.interface.empty()) {
                error(Place::unicast_peer, "has no usable unicast peer and no interface: the instance is not used");
                return false;
            }
            warning(Place::unicast_peer, "'unicast_peer' is empty: multicast is used",
                    "write the address of each other router, one on a line");
            instance_.unicast = false;
            return true;
        }
        if (instance_.strict_mode) {
            error(Place::unicast_peer, "strict mode allows no unicast peers: the instance is not used", "leave vrrp_strict out");
            return false;
        }
        if (instance_.virtual_mac.enabled && !instance_.vmac_xmit_base) {
            note(Place::virtual_mac, "unicast with use_vmac sends from the base interface: vmac_xmit_base is set");
            instance_.vmac_xmit_base = true;
        }
        return true;
    }

    void settle_virtual_mac() {
        VirtualMacSettings& settings = instance_.virtual_mac;
        if (!settings.enabled && instance_.vmac_xmit_base) {
            warning(Place::xmit_base, "'vmac_xmit_base' means nothing without use_vmac: ignored");
            instance_.vmac_xmit_base = false;
        }
        if (!settings.enabled && draft_.vmac_mode) {
            warning(Place::vmac_mode, "'vmac_mode' means nothing without use_vmac: ignored", "it says how, use_vmac says that there is a virtual MAC");
        }
        settings.mode = settings.enabled ? draft_.vmac_mode.value_or(global_.vmac_mode) : VirtualMacMode::macvlan;
        const bool has_device_words = !settings.name.empty() || settings.netlink_notify || settings.group != 0;
        if (settings.mode == VirtualMacMode::nftables && has_device_words) {
            note(Place::virtual_mac, "with 'vmac_mode nftables' there is no device: its name and options mean nothing");
        }
        for (const auto* list : {&instance_.virtual_addresses, &instance_.excluded_addresses}) {
            for (const ConfiguredAddress& address : *list) check_address_use_vmac(address);
        }
        if (settings.address && draft_.mac_octets == 5) settings.address->octets[5] = to_number(instance_.vrid);
    }

    void settle_ipvlan() {
        if (!instance_.ipvlan) return;
        if (instance_.virtual_mac.enabled) {
            error(Place::ipvlan, "use_vmac and use_ipvlan exclude each other: use_ipvlan is ignored");
            instance_.ipvlan.reset();
            return;
        }
        auto& address = instance_.ipvlan->address;
        if (address && address->family != instance_.family) {
            error(Place::ipvlan, "the address of use_ipvlan has another family than the virtual addresses: it is ignored");
            address.reset();
        }
        if (!address) return;
        if (!instance_.source_address) instance_.source_address = *address;
        if (instance_.track_src_ip && instance_.source_address == *address) {
            note(Place::track_source, "'track_src_ip' has nothing to do: the source is the address of use_ipvlan, which is put back when somebody deletes it");
            instance_.track_src_ip = false;
        }
    }

    void settle_vrf() {
        if (instance_.vrf.empty() || instance_.interface.empty()) return;
        warning(Place::vrf, "'vrf' means nothing with 'interface': the interface's own VRF is used", "leave one of them out");
        instance_.vrf = {};
    }

    void check_address_use_vmac(const ConfiguredAddress& address) {
        const bool is_at_home = address.device.empty() || address.device == instance_.interface;
        if (!address.use_vmac || !is_at_home || address.address.family != instance_.family || instance_.virtual_mac.enabled) return;
        say(Severity::note, address.where, "'use_vmac' behind an address is for those on another interface: it means nothing here",
            "write use_vmac for the instance");
    }

    void settle_announcements() {
        AnnouncementSettings& settings = instance_.announcements;
        settings.lower_prio_delay = draft_.lower_prio_delay ? Nanoseconds{std::chrono::seconds{*draft_.lower_prio_delay}} : settings.delay;
        settings.lower_prio_repeat = draft_.lower_prio_repeat.value_or(settings.repeat);
    }

    void settle_options() {
        instance_.accept = draft_.accept.value_or(true);
        if (instance_.track_src_ip && !instance_.source_address) {
            warning(Place::track_source, "'track_src_ip' means nothing without unicast_src_ip or mcast_src_ip: ignored",
                    "the source is the interface's first address then, and when it goes the next one is taken");
            instance_.track_src_ip = false;
        }
        instance_.steps_back_when_address_deleted = draft_.steps_back_when_address_deleted.value_or(global_.steps_back_when_address_deleted);
        instance_.lower_prio_no_advert = draft_.lower_prio_no_advert.value_or(global_.vrrp_lower_prio_no_advert);
        instance_.higher_prio_send_advert = draft_.higher_prio_send_advert.value_or(global_.vrrp_higher_prio_send_advert);
        instance_.owner_ignore_adverts = draft_.owner_ignore_adverts.value_or(global_.vrrp_owner_ignore_adverts);
        if (instance_.priority != Priority::owner) instance_.owner_ignore_adverts = false;
        instance_.notify_priority_changes = draft_.notify_priority_changes.value_or(global_.vrrp_notify_priority_changes);
        const GlobalDraft& defaults = context_.global_draft;
        instance_.smtp_alert = draft_.smtp_alert.value_or(defaults.smtp_alert_vrrp.value_or(defaults.smtp_alert.value_or(false)));
    }

    void apply_strict() {
        const bool is_owner = instance_.priority == Priority::owner;
        if ((instance_.state == InitialState::master) != is_owner) {
            if (!is_owner) warning(Place::state, "strict mode allows 'state MASTER' only with priority 255: BACKUP is used");
            instance_.state = is_owner ? InitialState::master : InitialState::backup;
        }
        if (instance_.preempt_delay > Nanoseconds{0}) {
            warning(Place::preempt_delay, "strict mode allows no preempt_delay: ignored");
            instance_.preempt_delay = Nanoseconds{0};
        }
        if (instance_.down_timer_adverts != 3) {
            warning(Place::down_timer, "strict mode fixes down_timer_adverts at 3");
            instance_.down_timer_adverts = 3;
        }
        // Accept_Mode is off unless asked for (RFC 9568 §6.1); version 2 has no such mode, only owners accept (RFC 3768 §6.4.3).
        const bool may_choose = instance_.version == VrrpVersion::v3;
        instance_.accept = is_owner || (may_choose && draft_.accept.value_or(false));
        instance_.announcements.lower_prio_repeat = 0;
        instance_.announcements.lower_prio_delay = Nanoseconds{0};
        instance_.lower_prio_no_advert = true;
        instance_.higher_prio_send_advert = false;
        instance_.owner_ignore_adverts = is_owner;
        if (instance_.virtual_mac.address) {
            warning(Place::virtual_mac, "strict mode allows no MAC of your own: the virtual router's is used");
            instance_.virtual_mac.address.reset();
        }
        if (instance_.vmac_xmit_base) {
            warning(Place::xmit_base, "strict mode allows no vmac_xmit_base: ignored");
            instance_.vmac_xmit_base = false;
        }
    }

    void settle_preemption() {
        const bool is_master = instance_.state == InitialState::master;
        if (instance_.nopreempt && (is_master || instance_.priority == Priority::owner)) {
            warning(Place::nopreempt,
                    is_master ? "'nopreempt' does not go with 'state MASTER': it is ignored"
                              : "'nopreempt' does not go with priority 255: it is ignored",
                    is_master ? "write state BACKUP on every router" : "");
            instance_.nopreempt = false;
        }
        if (instance_.timer_expired_backup != 0 && !instance_.nopreempt) {
            warning(Place::timer_expired, "'timer_expired_backup' is for instances with 'nopreempt': it is ignored",
                    "one that preempts would take the address back at once");
            instance_.timer_expired_backup = 0;
        }
        if (instance_.preempt_delay > Nanoseconds{0} && (is_master || instance_.nopreempt)) {
            warning(Place::preempt_delay,
                    is_master ? "'preempt_delay' does not go with 'state MASTER': it is ignored"
                              : "'preempt_delay' does not go with 'nopreempt': it is ignored",
                    is_master ? "write state BACKUP on every router" : "");
            instance_.preempt_delay = Nanoseconds{0};
        }
    }

    void settle_tracking() {
        std::erase_if(instance_.track_interfaces, [&](const TrackedItem& item) {
            const bool is_own = item.name == instance_.interface && !item.weight && !instance_.dont_track_primary;
            if (is_own) say(Severity::warning, item.where, "the instance's own interface is tracked anyway: ignored");
            return is_own;
        });
        for (const TrackedItem& item : instance_.track_interfaces) check_interface(item.name, item.where);
        for (const auto* list : {&instance_.virtual_addresses, &instance_.excluded_addresses}) {
            for (const ConfiguredAddress& address : *list) check_interface(address.device, address.where);
        }
        for (const ConfiguredRoute& route : instance_.virtual_routes) check_interface(route.next.device, route.where);
        for (const ConfiguredRule& rule : instance_.virtual_rules) check_interface(rule.input_device, rule.where);
        track_devices_of_objects(instance_);
        tracking_.settle(instance_, draft_);
    }

    Context& context_;
    TrackingValidator& tracking_;
    const GlobalDefinitions& global_;
    VrrpInstance& instance_;
    InstanceDraft& draft_;
};

}  // namespace

void validate(Context& context) {
    if (context.options.before_checks) context.options.before_checks(context.configuration.global);
    std::vector<VrrpInstance>& instances = context.configuration.instances;
    std::vector<bool> is_usable(instances.size());
    Conflicts conflicts(context);
    TrackingValidator tracking(context);
    for (std::size_t index = 0; index < instances.size(); ++index) {
        VrrpInstance& instance = instances[index];
        if (!conflicts.is_name_free(instance)) continue;
        is_usable[index] = InstanceValidator(context, tracking, instance, context.drafts[index]).validate() && conflicts.claim_router(instance);
        conflicts.settle_name(instance, is_usable[index]);
        if (!is_usable[index]) continue;
        conflicts.claim_addresses(instance);
        conflicts.claim_device_name(instance);
    }
    std::unordered_set<std::string_view> unusable;
    if (std::find(is_usable.begin(), is_usable.end(), false) != is_usable.end()) {
        std::size_t kept = 0;
        for (std::size_t index = 0; index < instances.size(); ++index) {
            if (!is_usable[index]) unusable.insert(instances[index].name);
            if (!is_usable[index]) continue;
            if (kept != index) {
                instances[kept] = std::move(instances[index]);
                context.drafts[kept] = std::move(context.drafts[index]);
            }
            ++kept;
        }
        instances.resize(kept);
    }
    validate_groups(context, unusable, tracking);
    validate_static_objects(context);
    tracking.report_unused();
    context.configuration.global.announcements.lower_prio_delay =
        context.global_draft.lower_prio_delay ? Nanoseconds{std::chrono::seconds{*context.global_draft.lower_prio_delay}}
                                              : context.configuration.global.announcements.delay;
    context.configuration.global.announcements.lower_prio_repeat =
        context.global_draft.lower_prio_repeat.value_or(context.configuration.global.announcements.repeat);
    validate_interfaces(context);
    validate_servers(context);
    validate_lvs_definitions(context);
    validate_notifications(context);
    validate_secrets(context);
}

}  // namespace vigil::config

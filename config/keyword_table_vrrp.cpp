/// The vocabulary of vrrp_instance, of the groups and of everything that can be tracked.

#include "config/keyword_rows.h"

namespace vigil::config::rows {

namespace {

constexpr Argument any_count = number(0, int_max);
constexpr Argument any_seconds = whole_seconds(0, 4'294);

constexpr Keyword instance_rows[] = {
    {"state", t1, acted, text},
    {"interface", t1, acted, text},
    {"virtual_router_id", t1, acted, number(1, 255)},
    {"priority", t1, acted, number(1, 255)},
    {"advert_int", t1, acted, seconds(second / 100, 255 * second)},
    {"version", t1, acted, number(2, 3)},
    block("authentication", t1, acted, BlockId::authentication),
    block("virtual_ipaddress", t1, acted, BlockId::address_list),
    block("virtual_ipaddress_excluded", t2, acted, BlockId::address_list),
    {"no_virtual_ipaddress", t3, acted, nothing},
    block("virtual_routes", t2, acted, BlockId::route_list),
    block("virtual_rules", t3, acted, BlockId::rule_list),
    {"nopreempt", t1, acted, nothing},
    {"preempt", t3, acted, nothing, BlockId::none, "-"},
    {"preempt_delay", t2, acted, seconds(0, 1000 * second)},
    {"use_vmac", t2, acted, anything},
    {"use_vmac_addr", t3, acted, nothing},
    {"vmac_xmit_base", t2, acted, nothing},
    {"vmac_mode", t2, acted, choice("macvlan nftables")},   // not keepalived's
    {"use_ipvlan", t3, acted, anything},
    {"vrf", t3, acted, text},
    block("unicast_peer", t1, acted, BlockId::peer_list),
    {"unicast_src_ip", t1, acted, address},
    {"unicast_ttl", t3, acted, number(0, 255)},
    {"unicast_fault_no_peer", t3, acted, nothing},
    {"check_unicast_src", t3, acted, nothing},
    {"old_unicast_checksum", t3, acted, anything},
    {"mcast_src_ip", t2, acted, address},
    {"mcast_dst_ip", t3, acted, address},
    {"track_src_ip", t3, acted, nothing},
    {"native_ipv6", t3, acted, nothing, BlockId::none, "-"},
    block("track_interface", t1, acted, BlockId::track_interface_list),
    block("track_script", t1, acted, BlockId::track_script_list),
    block("track_file", t2, acted, BlockId::track_file_list),
    block("track_process", t2, acted, BlockId::track_process_list),
    block("track_bfd", t2, acted, BlockId::track_bfd_list),
    {"dont_track_primary", t2, acted, nothing},
    {"linkbeat_use_polling", t3, acted, nothing, BlockId::none, "linkbeat_interfaces"},
    {"promote_secondaries", t3, acted, nothing},
    {"accept", t2, acted, nothing},
    {"no_accept", t3, acted, nothing},
    {"strict_mode", t3, acted, flag},
    {"skip_check_adv_addr", t3, acted, flag},
    {"v3_checksum_as_v2", t3, acted, flag},
    {"down_timer_adverts", t3, acted, number(1, 100)},
    {"garp_master_delay", t2, acted, any_seconds},
    {"garp_master_repeat", t2, acted, any_count},
    {"garp_master_refresh", t2, acted, any_seconds},
    {"garp_master_refresh_repeat", t2, acted, any_count},
    {"garp_lower_prio_delay", t3, acted, any_seconds},
    {"garp_lower_prio_repeat", t3, acted, any_count},
    {"garp_extra_if", t3, acted, anything},
    {"vmac_garp_intvl", t3, acted, anything, BlockId::none, "garp_extra_if"},
    {"lower_prio_no_advert", t3, acted, flag},
    {"deleted_address", t2, acted, choice("put_back step_back")},   // not keepalived's
    {"higher_prio_send_advert", t3, acted, flag},
    {"owner_ignore_adverts", t3, acted, flag},
    {"timer_expired_backup", t3, acted, optional_number(1, 254)},
    {"thread_timer_expired", t3, acted, optional_number(1, 254), BlockId::none, "timer_expired_backup"},
    {"kernel_rx_buf_size", t3, acted, number(0, int_max)},
    {"debug", t3, acted, optional_number(0, 4)},
    {"notify_master", t1, acted, command},
    {"notify_backup", t1, acted, command},
    {"notify_fault", t1, acted, command},
    {"notify_stop", t2, acted, command},
    {"notify", t1, acted, command},
    {"notify_deleted", t3, acted, optional_command},
    {"notify_master_rx_lower_pri", t3, acted, command},
    {"notify_priority_changes", t3, acted, flag},
    {"smtp_alert", t2, acted, flag},
    {"lvs_sync_daemon_interface", t3, later, text, BlockId::none, "lvs_sync_daemon"},
    block("auth_hmac", t3, acted, BlockId::auth_hmac),
};

constexpr Keyword authentication_rows[] = {
    {"auth_type", t1, acted, choice("PASS AH")},
    {"auth_pass", t1, acted, text},
};

constexpr Keyword auth_hmac_rows[] = {
    {"key", t3, acted, texts},
    {"active_key", t3, acted, number(1, 255)},
    {"time_window", t3, acted, whole_seconds(1, 300)},
    {"anti_replay", t3, acted, choice("time monotonic")},
    {"mode", t3, acted, choice("enforce permissive receive-only")},
};

constexpr Keyword sync_group_rows[] = {
    block("group", t1, acted, BlockId::text_list),
    block("track_interface", t2, acted, BlockId::track_interface_list),
    block("track_script", t2, acted, BlockId::track_script_list),
    block("track_file", t3, acted, BlockId::track_file_list),
    block("track_process", t3, acted, BlockId::track_process_list),
    block("track_bfd", t3, acted, BlockId::track_bfd_list),
    {"notify_master", t1, acted, command},
    {"notify_backup", t1, acted, command},
    {"notify_fault", t1, acted, command},
    {"notify_stop", t2, acted, command},
    {"notify", t1, acted, command},
    {"smtp_alert", t2, acted, flag},
    {"global_tracking", t3, acted, nothing, BlockId::none, "-"},
    {"sync_group_tracking_weight", t3, acted, nothing},
    {"notify_priority_changes", t3, acted, flag},
};

constexpr Keyword track_group_rows[] = {
    block("group", t3, acted, BlockId::text_list),
};

constexpr Keyword garp_group_rows[] = {
    {"garp_interval", t3, acted, seconds(0, 4'294'967'295)},
    {"gna_interval", t3, acted, seconds(0, 4'294'967'295)},
    {"interface", t3, acted, text},
    block("interfaces", t3, acted, BlockId::text_list),
};

constexpr Keyword ssl_rows[] = {
    {"password", t3, acted, text},
    {"ca", t3, acted, text},
    {"certificate", t3, acted, text},
    {"key", t3, acted, text},
};

constexpr Keyword script_rows[] = {
    {"script", t1, acted, command},
    {"interval", t1, acted, seconds(0, 1'000'000 * second)},
    {"timeout", t2, acted, seconds(0, 1'000'000 * second)},
    {"weight", t1, acted, weight(253)},
    {"rise", t1, acted, number(1, int_max)},
    {"fall", t1, acted, number(1, int_max)},
    {"user", t2, acted, texts},
    {"init_fail", t2, acted, nothing},
};

constexpr Keyword process_rows[] = {
    {"process", t2, acted, texts},
    {"param_match", t3, acted, anything},
    {"weight", t2, acted, weight(254)},
    {"quorum", t2, acted, number(1, 65'535)},
    {"quorum_max", t3, acted, number(0, 65'535)},
    {"delay", t3, acted, seconds(1, 3600 * second)},
    {"terminate_delay", t3, acted, seconds(1, 3600 * second)},
    {"fork_delay", t3, acted, seconds(1, 3600 * second)},
    {"full_command", t2, acted, nothing},
};

constexpr Keyword file_rows[] = {
    {"file", t2, acted, text},
    {"weight", t2, acted, weight(254)},
    {"init_file", t3, acted, anything},
};

constexpr Keyword bfd_rows[] = {
    {"neighbor_ip", t2, acted, address},
    {"neighbour_ip", t2, acted, address},
    {"source_ip", t2, acted, address},
    {"min_rx", t2, acted, milliseconds(1, 1'000'000)},
    {"min_tx", t2, acted, milliseconds(1, 1'000'000)},
    {"idle_tx", t2, acted, milliseconds(1000, 1'000'000)},
    {"multiplier", t2, acted, number(1, 255)},
    {"passive", t3, acted, nothing},
    {"ttl", t3, acted, number(1, 255)},
    {"hoplimit", t3, acted, number(1, 255)},
    {"max_hops", t3, acted, number(-1, 255)},
    {"multihop", t3, acted, flag},
    {"weight", t2, acted, weight(253)},
    {"vrrp", t3, acted, nothing},
    {"checker", t3, acted, nothing},
};

constexpr BlockTable tables[] = {
    {BlockId::vrrp_instance, "vrrp_instance", instance_rows},
    {BlockId::authentication, "authentication", authentication_rows},
    {BlockId::auth_hmac, "auth_hmac", auth_hmac_rows},
    {BlockId::vrrp_sync_group, "vrrp_sync_group", sync_group_rows},
    {BlockId::vrrp_script, "vrrp_script", script_rows},
    {BlockId::vrrp_track_process, "vrrp_track_process", process_rows},
    {BlockId::track_file, "track_file", file_rows},
    {BlockId::bfd_instance, "bfd_instance", bfd_rows},
    {BlockId::track_group, "track_group", track_group_rows},
    {BlockId::garp_group, "garp_group", garp_group_rows},
    {BlockId::ssl, "SSL", ssl_rows},
};

}  // namespace

std::span<const Keyword> instance_keywords() { return instance_rows; }
std::span<const BlockTable> vrrp_tables() { return tables; }

}  // namespace vigil::config::rows

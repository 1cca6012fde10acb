#include "engine/io/packet_filter.h"

#include <sys/socket.h>

#include <array>
#include <cstddef>

// The filter that stands in front of every receive ring.
//
// It runs in the kernel for each frame that the interface takes from the wire, forwarded traffic included, so it looks at the fewest
// bytes that decide: packet type, VLAN tag, EtherType, protocol number. What it lets through is parsed and checked again by packet/,
// which trusts nothing; the filter only saves work and is no security boundary.
//
// Three facts of the kernel shape it:
//  * A socket of ETH_P_ALL on an interface sees frames before the VLAN layer has moved them to their VLAN device. The outermost tag is
//    then not among the bytes but in the frame's metadata (SKF_AD_VLAN_TAG). A tag with another VID than 0 means another LAN: its VRIDs
//    are not ours, and electing on them would join two LANs. VID 0 is a priority tag of this LAN (802.1Q).
//  * On an interface in promiscuous mode the socket also sees unicast frames to other stations (PACKET_OTHERHOST). Unicast adverts for a
//    neighbour must not be taken for ours.
//  * The value returned is the number of bytes kept. It is set to what a ring slot holds.
//
// The program is put together from labelled blocks; jump distances are resolved at the end, so that a later option inserts its block
// without anybody counting instructions. Classic BPF jumps forward only, at most 255 instructions.

namespace vigil::io {
namespace {

enum class Label : std::uint8_t { next, network, ipv4, ipv6, ipv4_ttl, ipv6_hop_limit, udp, accept, drop, count_ };

class Assembler {
public:
    void place(Label label) { position_[index(label)] = program_.size(); }
    void load_byte(std::uint32_t offset) { add(BPF_LD | BPF_B | BPF_ABS, offset); }
    void load_half(std::uint32_t offset) { add(BPF_LD | BPF_H | BPF_ABS, offset); }
    void load_word(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
    void load_metadata(int item) { load_word(static_cast<std::uint32_t>(SKF_AD_OFF + item)); }
    void load_half_behind_ip_header(std::uint32_t offset) {
        add(BPF_LDX | BPF_B | BPF_MSH, 14);          // X = 4 * (IHL)
        add(BPF_LD | BPF_H | BPF_IND, offset);       // A = half word at X + offset
    }
    void mask(std::uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, bits); }
    void if_equal(std::uint32_t value, Label yes, Label no = Label::next) { jump(BPF_JEQ, value, yes, no); }
    void if_greater(std::uint32_t value, Label yes, Label no = Label::next) { jump(BPF_JGT, value, yes, no); }
    void if_any_bit(std::uint32_t bits, Label yes, Label no = Label::next) { jump(BPF_JSET, bits, yes, no); }
    void keep(std::uint32_t bytes) { add(BPF_RET | BPF_K, bytes); }

    std::vector<sock_filter> finish() {
        for (const Jump& jump : jumps_) {
            program_[jump.at].jt = distance(jump.at, jump.yes);
            program_[jump.at].jf = distance(jump.at, jump.no);
        }
        return std::move(program_);
    }

private:
    struct Jump {
        std::size_t at;
        Label yes;
        Label no;
    };
    static std::size_t index(Label label) { return static_cast<std::size_t>(label); }
    void add(int code, std::uint32_t k) { program_.push_back({static_cast<std::uint16_t>(code), 0, 0, k}); }
    void jump(int condition, std::uint32_t k, Label yes, Label no) {
        jumps_.push_back({program_.size(), yes, no});
        add(BPF_JMP | condition | BPF_K, k);
    }
    std::uint8_t distance(std::size_t from, Label to) const {
        if (to == Label::next) return 0;
        return static_cast<std::uint8_t>(position_[index(to)] - from - 1);
    }

    std::vector<sock_filter> program_;
    std::vector<Jump> jumps_;
    std::array<std::size_t, static_cast<std::size_t>(Label::count_)> position_{};
};

constexpr std::uint32_t protocol_vrrp = 112;
constexpr std::uint32_t protocol_ah = 51;
constexpr std::uint32_t protocol_udp = 17;
constexpr std::uint32_t port_hsrp = 1985;
constexpr std::uint32_t packet_type_multicast = 2;   // PACKET_HOST 0, PACKET_BROADCAST 1, PACKET_MULTICAST 2

void refuse_foreign_frames(Assembler& code) {
    code.load_metadata(SKF_AD_PKTTYPE);
    code.if_greater(packet_type_multicast, Label::drop);         // for another station, or sent by this host
    code.load_metadata(SKF_AD_VLAN_TAG_PRESENT);
    code.if_equal(0, Label::network);
    code.load_metadata(SKF_AD_VLAN_TAG);
    code.mask(0x0fff);
    code.if_equal(0, Label::network, Label::drop);               // VID 0 is a priority tag
}

void choose_family(Assembler& code, const FilterOptions& options) {
    code.place(Label::network);
    code.load_half(12);                                          // EtherType; a second tag is nobody's here
    if (options.ipv4) code.if_equal(0x0800, Label::ipv4);
    if (options.ipv6) code.if_equal(0x86dd, Label::ipv6);
    code.keep(0);
}

struct HopLimitPlaces {
    std::uint32_t destination;      ///< offset of the first octet of the destination address
    std::uint32_t multicast_mask;   ///< its bits that tell
    std::uint32_t multicast;        ///< and their value in a multicast address
    std::uint32_t hop_limit;        ///< offset of TTL or Hop Limit
};

void check_hop_limit(Assembler& code, Label label, const HopLimitPlaces& places) {
    code.place(label);
    code.load_byte(places.destination);
    code.mask(places.multicast_mask);
    code.if_equal(places.multicast, Label::next, Label::accept); // unicast: the engine knows each peer's own limits
    code.load_byte(places.hop_limit);
    code.if_equal(255, Label::accept, Label::drop);              // RFC 9568 §7.1
}

void take_ipv4(Assembler& code, const FilterOptions& options) {
    const Label found = options.drop_other_hop_limits ? Label::ipv4_ttl : Label::accept;
    code.place(Label::ipv4);
    code.load_byte(23);                                          // protocol
    code.if_equal(protocol_vrrp, found);
    code.if_equal(protocol_ah, found);
    if (options.hsrp) code.if_equal(protocol_udp, Label::udp);
    code.keep(0);
    if (options.hsrp) {
        code.place(Label::udp);
        code.load_half(20);
        code.if_any_bit(0x1fff, Label::drop);                    // a later fragment has no UDP header
        code.load_half_behind_ip_header(14 + 2);                 // destination port
        code.if_equal(port_hsrp, Label::accept, Label::drop);
    }
    if (options.drop_other_hop_limits) check_hop_limit(code, Label::ipv4_ttl, {30, 0xf0, 0xe0, 22});
}

void take_ipv6(Assembler& code, const FilterOptions& options) {
    const Label found = options.drop_other_hop_limits ? Label::ipv6_hop_limit : Label::accept;
    code.place(Label::ipv6);
    code.load_byte(20);                                          // next header; adverts carry no extension headers
    code.if_equal(protocol_vrrp, found, Label::drop);
    if (options.drop_other_hop_limits) check_hop_limit(code, Label::ipv6_hop_limit, {38, 0xff, 0xff, 21});
}

}  // namespace

std::vector<sock_filter> make_packet_filter(const FilterOptions& options) {
    Assembler code;
    refuse_foreign_frames(code);
    choose_family(code, options);
    if (options.ipv4) take_ipv4(code, options);
    if (options.ipv6) take_ipv6(code, options);
    code.place(Label::accept);
    code.keep(options.capture_bytes);
    code.place(Label::drop);
    code.keep(0);
    return code.finish();
}

Result<void> attach_packet_filter(int socket, const FilterOptions& options) {
    std::vector<sock_filter> program = make_packet_filter(options);
    const sock_fprog header{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &header, sizeof header) != 0) return last_error("attach packet filter");
    return {};
}

}  // namespace vigil::io

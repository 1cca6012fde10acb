#include "engine/io/packet_filter.h"

#include <sys/socket.h>

#include <array>
#include <cstddef>

#include "engine/io/filter_assembler.h"
#include "packet/advertisement.h"
#include "packet/ethernet.h"
#include "packet/frame.h"
#include "packet/ip.h"

// The filter that stands in front of every receive ring.
//
// It runs in the kernel for each frame that the interface takes from the wire, forwarded traffic included, so it looks at the fewest
// bytes that decide: packet type, VLAN tag, EtherType, protocol number. Only of VRRP it reads more, and sorts out what cannot be good for any of
// our routers, so that junk never takes a slot from a good advert: a TTL or hop limit other than 255 in multicast (RFC 9568 §7.1), a fragment,
// an IP header that lies about itself, too few bytes for a message, an octet that is not version 2 or 3 with type 1 (§5.2.1, §5.2.2), a VRID
// that this interface does not have in this family. What it lets through is parsed and checked again by packet/, which trusts nothing; the
// filter saves work and slots and is no security boundary. A wrong checksum, address count or password passes: those need the whole
// message, and the engine tells the operator which router they were for.
//
// Junk is counted. A filter of the classic kind has no side effects, so a second socket carries the other side of the same program: it keeps what
// the first refused of VRRP and HSRP. It has a ring of eight slots that nobody waits for. The kernel counts every frame that passed its
// filter, whether or not there was a slot (PACKET_STATISTICS), and the eight that found one are looked at once a second, which tells the
// reasons (LinkPort::count_junk). An eBPF program with a map would count without a second socket, but bpf() is refused in containers, and by
// Debian's default to everybody without CAP_BPF; the way that works everywhere is the only one. What that costs is in bench/README.md.
//
// Three facts of the kernel shape it:
//  * A socket of ETH_P_ALL on an interface sees frames before the VLAN layer has moved them to their VLAN device. The outermost tag is
//    then not among the bytes but in the frame's metadata (SKF_AD_VLAN_TAG). A tag with another VID than 0 means another LAN: its VRIDs
//    are not ours, and electing on them would join two LANs. VID 0 is a priority tag of this LAN (802.1Q).
//  * On an interface in promiscuous mode the socket also sees unicast frames to other stations (PACKET_OTHERHOST). Unicast adverts for a
//    neighbour must not be taken for ours.
//  * The value returned is the number of bytes kept. It is set to what a ring slot holds. A load beyond the end of the frame ends the
//    program with 0; lengths are therefore compared first, or a short frame would be refused and not counted.

namespace vigil::io {
namespace {

using Label = FilterAssembler::Label;
constexpr Label next = FilterAssembler::next;

constexpr auto protocol_vrrp = static_cast<std::uint32_t>(packet::IpProtocol::vrrp);
constexpr auto protocol_ah = static_cast<std::uint32_t>(packet::IpProtocol::ah);
constexpr auto protocol_udp = static_cast<std::uint32_t>(packet::IpProtocol::udp);
constexpr auto ether_type_ipv4 = static_cast<std::uint32_t>(packet::EtherType::ipv4);
constexpr auto ether_type_ipv6 = static_cast<std::uint32_t>(packet::EtherType::ipv6);
constexpr std::uint32_t packet_type_multicast = 2;   // PACKET_HOST 0, PACKET_BROADCAST 1, PACKET_MULTICAST 2
constexpr std::uint32_t ethernet_bytes = packet::ethernet_header_size;
constexpr std::uint32_t ipv6_header_bytes = packet::ipv6_header_size;
constexpr std::uint32_t ah_bytes = packet::ah_header_size;
constexpr std::uint32_t least_message_bytes = packet::AdvertisementView::fixed_size;
constexpr std::uint32_t version2_advertisement = 0x21;
constexpr std::uint32_t version3_advertisement = 0x31;

/// Puts the program together. The verdicts stand at its end; jumps are resolved there, so that nobody counts instructions.
class FilterWriter {
public:
    FilterWriter(const FilterOptions& options, FilterSide side) : options_(options), side_(side) {}

    std::vector<sock_filter> write() {
        refuse_foreign_frames();
        choose_family();
        take_ipv4();
        take_hsrp();
        take_ipv6();
        code_.place(advert_);
        code_.keep(side_ == FilterSide::adverts ? options_.capture_bytes : 0);
        code_.place(junk_);
        code_.keep(side_ == FilterSide::junk ? options_.capture_bytes : 0);
        code_.place(other_);
        code_.keep(0);
        return code_.finish();
    }

private:
    void refuse_foreign_frames() {
        code_.load_metadata(SKF_AD_PKTTYPE);
        code_.if_greater(packet_type_multicast, other_);             // for another station, or sent by this host
        code_.load_metadata(SKF_AD_VLAN_TAG_PRESENT);
        code_.if_equal(0, network_);
        code_.load_metadata(SKF_AD_VLAN_TAG);
        code_.mask(0x0fff);
        code_.if_equal(0, network_, other_);                         // VID 0 is a priority tag
    }

    void choose_family() {
        code_.place(network_);
        code_.load_half(12);                                         // EtherType; a second tag is nobody's here
        code_.if_equal(ether_type_ipv4, ipv4_);
        code_.if_equal(ether_type_ipv6, ipv6_, other_);
    }

    void take_ipv4() {
        const Label ah = code_.make_label();
        const Label header = code_.make_label();
        code_.place(ipv4_);
        code_.load_byte(23);                                         // protocol
        code_.if_equal(protocol_ah, ah);
        code_.if_equal(protocol_udp, hsrp_);
        code_.if_equal(protocol_vrrp, next, other_);
        code_.index_of_ip_header_end();
        code_.jump(header);
        code_.place(ah);
        code_.index_of_ip_header_end();
        code_.load_byte_at_index(ethernet_bytes);                    // AH's next header; other AH is somebody's IPsec
        code_.if_equal(protocol_vrrp, next, other_);
        code_.add_to_index(ah_bytes);
        code_.place(header);
        check_ipv4_header();
        check_hop_limit({30, 0xf0, 0xe0, 22});
        code_.load_byte_at_index(ethernet_bytes);
        code_.if_equal(version3_advertisement, vrid_ipv4_);
        code_.if_equal(version2_advertisement, next, junk_);
        code_.place(vrid_ipv4_);
        code_.load_byte_at_index(ethernet_bytes + 1);
        check_vrid(options_.ipv4_vrids);
    }

    /// The index is where the message begins, less the Ethernet header.
    void check_ipv4_header() {
        code_.load_byte(14);
        code_.if_at_least(0x45, next, junk_);                        // version 4, five words or more
        code_.if_greater(0x4f, junk_);
        code_.save_index(1);
        code_.add_to_index(ethernet_bytes + least_message_bytes);
        code_.load_length();
        code_.if_at_least_index(next, junk_);
        code_.restore_index(1);
        code_.load_half(20);
        code_.if_any_bit(packet::ipv4_fragment_mask, junk_);         // More Fragments, or an offset
    }

    void take_ipv6() {
        code_.place(ipv6_);
        code_.load_byte(20);                                         // next header; adverts carry no extension headers
        code_.if_equal(protocol_vrrp, next, other_);
        code_.load_length();
        code_.if_at_least(ethernet_bytes + ipv6_header_bytes + least_message_bytes, next, junk_);
        code_.load_byte(14);
        code_.mask(0xf0);
        code_.if_equal(0x60, next, junk_);
        check_hop_limit({38, 0xff, 0xff, 21});
        code_.load_byte(ethernet_bytes + ipv6_header_bytes);
        code_.if_equal(version3_advertisement, next, junk_);         // version 2 knows no IPv6
        code_.load_byte(ethernet_bytes + ipv6_header_bytes + 1);
        check_vrid(options_.ipv6_vrids);
    }

    /// Only for its count: a foreign redundancy protocol on the LAN is worth knowing.
    void take_hsrp() {
        code_.place(hsrp_);
        code_.load_half(20);
        code_.if_any_bit(0x1fff, other_);                            // a later fragment has no UDP header
        code_.index_of_ip_header_end();
        code_.load_half_at_index(ethernet_bytes + 2);                // destination port
        code_.if_equal(packet::hsrp_port, junk_, other_);
    }

    struct HopLimitPlaces {
        std::uint32_t destination;      ///< offset of the first octet of the destination address
        std::uint32_t multicast_mask;   ///< its bits that tell
        std::uint32_t multicast;        ///< and their value in a multicast address
        std::uint32_t hop_limit;        ///< offset of TTL or Hop Limit
    };
    void check_hop_limit(const HopLimitPlaces& places) {
        const Label is_right = code_.make_label();
        code_.load_byte(places.destination);
        code_.mask(places.multicast_mask);
        code_.if_equal(places.multicast, next, is_right);            // unicast: the engine knows each peer's own limits
        code_.load_byte(places.hop_limit);
        code_.if_equal(255, next, junk_);                            // RFC 9568 §7.1
        code_.place(is_right);
    }

    /// Is the VRID in the accumulator one of `vrids`? Classic BPF has no tables; the set is eight words, each a constant of the program.
    void check_vrid(const VridSet& vrids) {
        const Label test = code_.make_label();
        std::array<Label, 8> words{};
        code_.save(0);
        code_.mask(31);
        code_.move_to_index();                                       // which bit
        code_.restore(0);
        code_.shift_right(5);                                        // which word
        for (std::uint32_t i = 0; i < words.size(); ++i) {
            if (word_of(vrids, i) != 0) code_.if_equal(i, words[i] = code_.make_label());
        }
        code_.jump(junk_);
        for (std::uint32_t i = 0; i < words.size(); ++i) {
            if (word_of(vrids, i) == 0) continue;
            code_.place(words[i]);
            code_.load_constant(word_of(vrids, i));
            code_.jump(test);
        }
        code_.place(test);
        code_.shift_right_by_index();
        code_.if_any_bit(1, advert_, junk_);
    }

    static std::uint32_t word_of(const VridSet& vrids, std::uint32_t position) {
        std::uint32_t word = 0;
        for (std::uint32_t bit = 0; bit < 32; ++bit) word |= vrids[position * 32 + bit] ? 1u << bit : 0;
        return word;
    }

    FilterAssembler code_;
    const FilterOptions& options_;
    FilterSide side_;
    const Label network_ = code_.make_label();
    const Label ipv4_ = code_.make_label();
    const Label vrid_ipv4_ = code_.make_label();
    const Label ipv6_ = code_.make_label();
    const Label hsrp_ = code_.make_label();
    const Label advert_ = code_.make_label();
    const Label junk_ = code_.make_label();
    const Label other_ = code_.make_label();
};

}  // namespace

std::vector<sock_filter> make_packet_filter(const FilterOptions& options, FilterSide side) { return FilterWriter(options, side).write(); }

Result<void> attach_packet_filter(int socket, const FilterOptions& options, FilterSide side) {
    std::vector<sock_filter> program = make_packet_filter(options, side);
    const sock_fprog header{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &header, sizeof header) != 0) return last_error("attach packet filter");
    return {};
}

}  // namespace vigil::io

#include "arp/kernel/address_programmer.h"

#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel {

void PrintTo(const AddressResult& result, std::ostream* out) {
    *out << "outcome " << static_cast<int>(result.outcome) << ", " << to_string(result.error);
}

namespace {

using test::numbered_key;

AddressChange add(const AddressKey& key) { return {AddressOperation::add, {.key = key}}; }
AddressChange remove(const AddressKey& key) { return {AddressOperation::remove, {.key = key}}; }

class AddressProgrammerTest : public test::NetworkNamespace {
protected:
    void SetUp() override {
        NetworkNamespace::SetUp();
        index_ = make_veth("v0", "p0");
    }

    AddressProgrammer open(const ProgrammerOptions& options = {}) {
        auto opened = AddressProgrammer::open(options);
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }

    AddressState state_of(const AddressKey& key) {
        const auto all = addresses();
        const auto found = std::ranges::find(all, key, &AddressState::key);
        EXPECT_NE(found, all.end()) << to_string(key.address);
        return found == all.end() ? AddressState{} : *found;
    }

    std::ptrdiff_t count(AddressOutcome outcome, const std::vector<AddressResult>& results) {
        return std::ranges::count(results, outcome, &AddressResult::outcome);
    }

    AddressKey ipv4_key(std::uint8_t last, std::uint8_t prefix) const { return {index_, ipv4(192, 0, 2, last), prefix, {}}; }
    AddressKey ipv6_key(const char* text, std::uint8_t prefix) const { return {index_, *read_address(text), prefix, {}}; }

    std::uint32_t index_ = 0;
};

TEST_F(AddressProgrammerTest, AddsAndRemovesBothFamiliesWithOurMark) {
    auto programmer = open();
    const AddressKey four = ipv4_key(1, 32);
    const AddressKey six = ipv6_key("2001:db8::1", 64);
    const AddressKey host = ipv6_key("2001:db8::2", 128);
    for (const auto& result : programmer.apply(std::vector{add(four), add(six), add(host)})) {
        EXPECT_EQ(result.outcome, AddressOutcome::done) << to_string(result.error);
    }
    EXPECT_EQ(state_of(four).protocol, our_address_protocol);
    EXPECT_EQ(state_of(six).protocol, our_address_protocol);
    EXPECT_EQ(state_of(six).flags & (IFA_F_NODAD | IFA_F_DEPRECATED | IFA_F_TENTATIVE), unsigned{IFA_F_NODAD});
    EXPECT_EQ(state_of(host).flags & (IFA_F_NODAD | IFA_F_DEPRECATED), unsigned{IFA_F_NODAD | IFA_F_DEPRECATED});

    EXPECT_EQ(count(AddressOutcome::done, programmer.apply(std::vector{remove(four), remove(six), remove(host)})), 3);
    EXPECT_FALSE(has_address(four) || has_address(six) || has_address(host));
}

TEST_F(AddressProgrammerTest, CarriesTheOptionsOfAnAddressLine) {
    auto programmer = open();
    AddressChange change = add(ipv4_key(1, 24));
    change.spec.label = "v0:gw";
    change.spec.broadcast = ipv4(192, 0, 2, 255);
    change.spec.scope = RT_SCOPE_LINK;
    change.spec.has_no_prefix_route = true;
    AddressChange six = add(ipv6_key("2001:db8::1", 128));
    six.spec.is_home_address = true;
    six.spec.has_duplicate_detection = true;
    six.spec.preferred_lifetime = lifetime_forever;
    EXPECT_EQ(count(AddressOutcome::done, programmer.apply(std::vector{change, six})), 2);

    const AddressState four = state_of(change.spec.key);
    EXPECT_EQ(four.scope, RT_SCOPE_LINK);
    EXPECT_NE(four.flags & IFA_F_NOPREFIXROUTE, 0U);
    EXPECT_EQ(state_of(six.spec.key).flags & (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_DEPRECATED), unsigned{IFA_F_HOMEADDRESS});
    ifaddrs* list = nullptr;
    ASSERT_EQ(getifaddrs(&list), 0);
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
    bool is_labelled = false;
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
        if (at->ifa_name == std::string("v0:gw")) {
            sockaddr_in broadcast{};
            std::memcpy(&broadcast, at->ifa_broadaddr, sizeof broadcast);
            is_labelled = true;
            EXPECT_EQ(ntohl(broadcast.sin_addr.s_addr), 0xc00002ffU);
        }
    }
    EXPECT_TRUE(is_labelled);
}

TEST_F(AddressProgrammerTest, PointToPointAddressesComeAndGoWithTheirPeer) {
    auto programmer = open();
    AddressKey four = ipv4_key(1, 32);
    four.peer = ipv4(198, 51, 100, 9);
    AddressKey six = ipv6_key("2001:db8::1", 128);
    six.peer = *read_address("2001:db8:1::9");
    EXPECT_EQ(count(AddressOutcome::done, programmer.apply(std::vector{add(four), add(six)})), 2);
    EXPECT_TRUE(has_address(four) && has_address(six));
    EXPECT_EQ(count(AddressOutcome::done, programmer.apply(std::vector{remove(four), remove(six)})), 2);
    EXPECT_FALSE(has_address(four) || has_address(six));
}

TEST_F(AddressProgrammerTest, AnAddressThatIsThereIsAdopted) {
    auto administrator = open();
    auto programmer = open();
    const AddressKey key = ipv4_key(1, 24);
    const AddressKey six = ipv6_key("2001:db8::1", 64);
    administrator.apply(std::vector{add(key), add(six)});
    EXPECT_EQ(count(AddressOutcome::already_there, programmer.apply(std::vector{add(key), add(six)})), 2);
    EXPECT_EQ(count(AddressOutcome::done, programmer.apply(std::vector{remove(key), remove(six)})), 2);
    EXPECT_FALSE(has_address(key) || has_address(six));
}

TEST_F(AddressProgrammerTest, RemovingWhatIsNotThereIsNoFailure) {
    auto programmer = open();
    const std::vector changes{remove(ipv4_key(9, 32)), remove(ipv6_key("2001:db8::9", 128)), remove(numbered_key(4711, 1))};
    EXPECT_EQ(count(AddressOutcome::already_gone, programmer.apply(changes)), 3);
}

TEST_F(AddressProgrammerTest, AnOperatorsAddressWithAnotherPrefixSurvives) {
    auto programmer = open();
    programmer.apply(std::vector{add(ipv4_key(1, 24)), add(ipv6_key("2001:db8::1", 64))});
    const std::vector changes{remove(ipv4_key(1, 32)), remove(ipv6_key("2001:db8::1", 128))};
    EXPECT_EQ(count(AddressOutcome::already_gone, programmer.apply(changes)), 2);
    EXPECT_TRUE(has_address(ipv4_key(1, 24)) && has_address(ipv6_key("2001:db8::1", 64)));
}

TEST_F(AddressProgrammerTest, ARefusalInTheMiddleOfABatchHitsThatItemAlone) {
    auto programmer = open();
    std::vector<AddressChange> changes;
    for (std::uint32_t i = 0; i < 1500; ++i) changes.push_back(add(numbered_key(index_, i + 1)));
    changes[0].spec.key.interface_index = 4711;
    changes[700].spec.key.prefix_length = 33;
    changes[999].spec.key.interface_index = 4711;  // the last of the first datagram
    changes[1200].spec.label = "a label that is longer than fifteen characters";
    changes[1300].spec.label = std::string(300, 'x');
    const auto results = programmer.apply(changes);
    std::map<std::size_t, int> errors;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i].outcome != AddressOutcome::done) errors[i] = results[i].error.error_number;
    }
    const std::map<std::size_t, int> expected{{0, ENODEV}, {700, EINVAL}, {999, ENODEV}, {1200, ERANGE}, {1300, EMSGSIZE}};
    EXPECT_EQ(errors, expected);
    EXPECT_FALSE(results[1200].error.text.empty()) << "the kernel's own sentence";
}

TEST_F(AddressProgrammerTest, LostErrorsAreAskedForAgain) {
    ProgrammerOptions options{.socket = {.receive_buffer_bytes = 1, .groups = {}}, .requests_per_send = 1000};
    auto programmer = open(options);
    std::vector<AddressChange> changes;
    for (std::uint32_t i = 0; i < 1000; ++i) changes.push_back(add(numbered_key(i % 4 == 3 ? 4711 : index_, i + 1)));
    const auto results = programmer.apply(changes);
    EXPECT_EQ(count(AddressOutcome::done, results), 750);
    EXPECT_EQ(count(AddressOutcome::refused, results), 250);
    // The addresses are there: done was true.
    EXPECT_EQ(count(AddressOutcome::already_there, open().apply(changes)), 750);
}

TEST_F(AddressProgrammerTest, ADatagramThatTheSendBufferCannotHoldIsMadeSmaller) {
    ProgrammerOptions options{.socket = {.send_buffer_bytes = 1, .groups = {}}, .requests_per_send = 1000};
    auto programmer = open(options);
    std::vector<AddressChange> changes;
    for (std::uint32_t i = 0; i < 1000; ++i) changes.push_back(add(numbered_key(index_, i + 1)));
    int sends = 0;
    const auto results = programmer.apply(changes, [&] { ++sends; });
    EXPECT_EQ(count(AddressOutcome::done, results), 1000);
    EXPECT_GT(sends, 2);
}

TEST_F(AddressProgrammerTest, WithoutTheCapabilityEveryItemSaysSo) {
    const int exit_code = test::run_without_net_admin([&] {
        auto programmer = AddressProgrammer::open();
        if (!programmer) return 2;
        std::vector<AddressChange> changes;
        for (std::uint32_t i = 0; i < 3000; ++i) changes.push_back(add(numbered_key(index_, i + 1)));
        for (const auto& result : programmer->apply(changes)) {
            if (result.outcome != AddressOutcome::refused || result.error.error_number != EPERM) return 3;
        }
        return 0;
    });
    EXPECT_EQ(exit_code, 0);
}

TEST_F(AddressProgrammerTest, AnInterfaceDeletedMeanwhileIsNoFailureWhenRemoving) {
    auto programmer = open();
    const std::vector changes{add(numbered_key(index_, 1)), add(numbered_key(index_, 2))};
    programmer.apply(changes);
    remove_link(index_);
    const auto again = programmer.apply(changes);
    EXPECT_EQ(again[0].error.error_number, ENODEV);
    EXPECT_EQ(count(AddressOutcome::already_gone, programmer.apply(std::vector{remove(numbered_key(index_, 1)), remove(numbered_key(index_, 2))})), 2);
}

}  // namespace
}  // namespace vigil::arp::kernel

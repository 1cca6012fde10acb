#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "ipvs/client.h"
#include "tests/ipvs/entries.h"

/// A client of the kernel's load balancer in a network namespace, and so with a table, of its own; ipvsadm is the second pair of eyes.
namespace vigil::ipvs::test {

/// What the command prints.
inline std::string run(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>&1").c_str(), "r"), pclose);
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe.get())) text.append(part.data(), size);
    return text;
}

inline std::multiset<std::string> lines(const std::string& text) {
    std::multiset<std::string> all;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, end - at);
        while (!line.empty() && line.back() == ' ') line.pop_back();
        if (!line.empty()) all.insert(line);
        at = end + 1;
    }
    return all;
}

/// What ipvsadm would write to restore the table; it has one blank too many after some words.
inline std::multiset<std::string> saved() { return lines(run("ipvsadm -Sn")); }

inline std::string refusals_of(const Outcome& outcome) {
    std::string text;
    for (const Refusal& refusal : outcome.refusals) text += to_string(refusal) + '\n';
    return text;
}

class IpvsKernel : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(unshare(CLONE_NEWNET), 0);
        run("ip link set lo up");
        auto opened = Client::open();
        ASSERT_TRUE(opened) << netlink::to_string(opened.error());
        client = std::make_unique<Client>(std::move(*opened));
    }

    Outcome program(const Table& wanted, const DiffOptions& options = {}) {
        const auto outcome = client->program(wanted, options);
        EXPECT_TRUE(outcome) << netlink::to_string(outcome.error());
        return outcome.value_or(Outcome{});
    }

    /// Programs it, sees that nothing was refused, that our dump is what was written and that a second time writes nothing.
    void expect_programmed(const Table& wanted, const DiffOptions& options = {}) {
        const Outcome outcome = program(wanted, options);
        EXPECT_EQ(refusals_of(outcome), "");
        EXPECT_EQ(program(wanted, options).operation_count, 0u);
    }

    void expect_read_back(const Table& wanted) {
        const auto found = client->table();
        ASSERT_TRUE(found) << netlink::to_string(found.error());
        EXPECT_EQ(found->size(), wanted.size());
        for (const ServiceEntry& entry : wanted) {
            const auto same = std::ranges::find_if(*found, [&](const auto& other) { return other.service.key == entry.service.key; });
            ASSERT_NE(same, found->end()) << to_string(entry.service.key);
            EXPECT_EQ(same->service, entry.service) << to_string(entry.service.key);
            auto left = same->destinations, right = entry.destinations;
            std::ranges::sort(left, {}, &Destination::key);
            std::ranges::sort(right, {}, &Destination::key);
            EXPECT_EQ(left, right) << to_string(entry.service.key);
        }
    }

    std::unique_ptr<Client> client;
};

}  // namespace vigil::ipvs::test

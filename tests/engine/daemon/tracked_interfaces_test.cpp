#include "engine/daemon/tracked_interfaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace vigil::daemon {
namespace {

/// eth1 and eth2 are tracked.
class Tracked : public testing::Test {
protected:
    Tracked() {
        for (const char* name : {"eth1", "eth2"}) {
            things_.add({.kind = ThingKind::interface, .name = name, .is_known = true, .is_ignored = false, .is_up = false, .value = 0});
        }
        kernel_ = {{1, "eth1"}, {2, "eth2"}, {3, "eth3"}};
        update({1, 2, 3});
    }
    void update(std::vector<std::uint32_t> numbers) { tracked_.update(numbers); }
    bool is_up(const std::string& name) const { return things_[things_.find(ThingKind::interface, name)].is_up; }
    std::string name_of(std::uint32_t number) const {
        const auto found = kernel_.find(number);
        return found == kernel_.end() ? std::string() : found->second;
    }
    bool is_there(std::string_view name) const {
        return std::any_of(kernel_.begin(), kernel_.end(), [&](const auto& entry) { return entry.second == name; });
    }

    std::map<std::uint32_t, std::string> kernel_;   // all that is there is up
    TrackedThings things_;
    TrackedInterfaces tracked_{things_, {.name_of = [this](std::uint32_t number) { return name_of(number); },
                                         .is_running = [this](std::string_view name) { return is_there(name); },
                                         .is_told_of_elsewhere = [](std::string_view) { return false; }}};
};

TEST_F(Tracked, OneThatGoesIsDownAndOneThatComesIsUp) {
    EXPECT_TRUE(is_up("eth1") && is_up("eth2"));
    kernel_.erase(1);
    update({1});
    EXPECT_FALSE(is_up("eth1"));
    kernel_[9] = "eth1";
    update({9});
    EXPECT_TRUE(is_up("eth1"));
}

TEST_F(Tracked, OneThatIsRenamedIsGoneUnderItsOldName) {
    kernel_[1] = "wan";
    update({1});
    EXPECT_FALSE(is_up("eth1"));
    kernel_[1] = "eth1";
    update({1});
    EXPECT_TRUE(is_up("eth1"));
}

TEST_F(Tracked, TwoThatSwapTheirNamesAreNeverDown) {
    bool was_down = false;
    things_.listen([&](ThingIndex) { was_down = was_down || !is_up("eth1") || !is_up("eth2"); });
    for (const std::vector<std::uint32_t>& order : {std::vector<std::uint32_t>{1, 2}, {2, 1}, {1, 2, 1}}) {
        std::swap(kernel_[1], kernel_[2]);
        update(order);
        EXPECT_TRUE(is_up("eth1") && is_up("eth2"));
    }
    EXPECT_FALSE(was_down);
}

TEST_F(Tracked, ANameThatAnotherTakesOverStaysUp) {
    kernel_[1] = "old";
    kernel_[3] = "eth1";
    update({3, 1});
    EXPECT_TRUE(is_up("eth1"));
}

}  // namespace
}  // namespace vigil::daemon

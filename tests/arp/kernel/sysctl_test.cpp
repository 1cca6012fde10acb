#include "arp/kernel/sysctl.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel {
namespace {

class SysctlTest : public test::NetworkNamespace {
protected:
    void SetUp() override {
        NetworkNamespace::SetUp();
        make_veth("v0.1", "p0");
        journal_ = std::filesystem::temp_directory_path() / ("vigil-sysctl-test." + std::to_string(getpid()));
        std::filesystem::remove(journal_);
    }
    void TearDown() override { std::filesystem::remove(journal_); }

    static std::string value(std::string_view interface_name, std::string_view setting) {
        return read_sysctl(interface_setting(Family::ipv4, interface_name, setting)).value_or("unreadable");
    }
    static void write(std::string_view interface_name, std::string_view setting, std::string_view text) {
        ASSERT_TRUE(write_sysctl(interface_setting(Family::ipv4, interface_name, setting), text));
    }

    std::filesystem::path journal_;
    SysctlPath arp_ignore_ = interface_setting(Family::ipv4, "v0.1", "arp_ignore");
};

TEST_F(SysctlTest, SetsAndGivesBack) {
    SysctlKeeper keeper;
    ASSERT_TRUE(keeper.set(arp_ignore_, "1"));
    ASSERT_TRUE(keeper.set(arp_ignore_, "2"));
    EXPECT_EQ(value("v0.1", "arp_ignore"), "2");
    EXPECT_EQ(keeper.saved_count(), 1U);
    EXPECT_TRUE(keeper.restore_all().empty());
    EXPECT_EQ(value("v0.1", "arp_ignore"), "0");
    EXPECT_EQ(keeper.saved_count(), 0U);
}

TEST_F(SysctlTest, LeavesWhatSomebodyElseChangedSince) {
    SysctlKeeper keeper;
    ASSERT_TRUE(keeper.set(arp_ignore_, "1"));
    write("v0.1", "arp_ignore", "8");
    EXPECT_TRUE(keeper.restore_all().empty());
    EXPECT_EQ(value("v0.1", "arp_ignore"), "8");
}

TEST_F(SysctlTest, RemembersNothingWhenTheValueIsThere) {
    SysctlKeeper keeper(journal_);
    ASSERT_TRUE(keeper.set(arp_ignore_, "0"));
    EXPECT_EQ(keeper.saved_count(), 0U);
    EXPECT_FALSE(std::filesystem::exists(journal_));
}

TEST_F(SysctlTest, AVanishedInterfaceIsNoFailure) {
    SysctlKeeper keeper;
    ASSERT_TRUE(keeper.set(arp_ignore_, "1"));
    remove_link(link("v0.1").index);
    EXPECT_TRUE(keeper.restore_all().empty());
    EXPECT_EQ(keeper.set(arp_ignore_, "1").error().error_number, ENOENT);
}

TEST_F(SysctlTest, AKilledRunsChangesAreGivenBackByTheNext) {
    {
        SysctlKeeper killed(journal_);
        ASSERT_TRUE(killed.set(arp_ignore_, "1"));
        ASSERT_TRUE(killed.set(arp_ignore_, "2"));
        ASSERT_TRUE(killed.set(interface_setting(Family::ipv4, "v0.1", "arp_filter"), "1"));
    }
    // Not a note, and one that the kill cut short: arp_notify is 0 because it was 0.
    std::ofstream(journal_, std::ios::app) << "nonsense\nnet/ipv4/conf/v0.1/arp_notify\t1\t0";
    SysctlKeeper next(journal_);
    EXPECT_TRUE(next.restore_leftovers().empty());
    EXPECT_EQ(value("v0.1", "arp_ignore"), "0");
    EXPECT_EQ(value("v0.1", "arp_filter"), "0");
    EXPECT_EQ(value("v0.1", "arp_notify"), "0");
    EXPECT_FALSE(std::filesystem::exists(journal_));
}

TEST_F(SysctlTest, ASettingThatCannotBeNotedIsNotChanged) {
    SysctlKeeper keeper("/proc/no/such/directory/journal");
    EXPECT_FALSE(keeper.set(arp_ignore_, "1"));
    EXPECT_EQ(value("v0.1", "arp_ignore"), "0");
}

TEST_F(SysctlTest, AnInvalidValueIsTheKernelsError) {
    SysctlKeeper keeper;
    EXPECT_EQ(keeper.set(arp_ignore_, "many").error().error_number, EINVAL);
    EXPECT_EQ(keeper.saved_count(), 0U);
}

TEST_F(SysctlTest, PushesTheReversePathFilterOfAllDown) {
    make_veth("v1", "p1");
    write("all", "rp_filter", "1");
    write("v0.1", "rp_filter", "0");
    write("v1", "rp_filter", "2");
    SysctlKeeper keeper;
    ASSERT_TRUE(push_down_reverse_path_filter(keeper));
    EXPECT_EQ(value("all", "rp_filter"), "0");
    EXPECT_EQ(value("default", "rp_filter"), "1");
    EXPECT_EQ(value("v0.1", "rp_filter"), "1");
    EXPECT_EQ(value("v1", "rp_filter"), "2") << "stricter or looser by choice: the larger counts";
    EXPECT_TRUE(keeper.restore_all().empty());
    EXPECT_EQ(value("all", "rp_filter"), "1");
    EXPECT_EQ(value("v0.1", "rp_filter"), "0");
}

}  // namespace
}  // namespace vigil::arp::kernel

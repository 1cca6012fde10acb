// Messages of the kernel's process connector as bytes.

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "engine/daemon/trackers/process_events.h"

namespace vigil::daemon {
namespace {

std::vector<std::byte> message(std::uint32_t what, std::array<std::uint32_t, 4> data, std::uint32_t index = 1) {
    std::vector<std::byte> bytes(16 + 20 + 16 + 16);   // netlink header, connector header, event header, data
    const auto put = [&](std::size_t at, std::uint32_t value) { std::memcpy(bytes.data() + at, &value, 4); };
    put(16, index);
    put(20, 1);
    put(36, what);
    for (std::size_t i = 0; i < data.size(); ++i) put(52 + 4 * i, data[i]);
    return bytes;
}

TEST(ProcessEventMessages, AreAboutProcessesAndNotAboutThreads) {
    using Kind = ProcessEvent::Kind;
    EXPECT_EQ(read_process_event(message(0, {0, 0, 0, 0})), (ProcessEvent{Kind::acknowledged, 0, 0}));
    EXPECT_EQ(read_process_event(message(0, {1, 0, 0, 0})), std::nullopt);   // EPERM
    EXPECT_EQ(read_process_event(message(1, {11, 10, 20, 20})), (ProcessEvent{Kind::started, 20, 10}));
    EXPECT_EQ(read_process_event(message(1, {10, 10, 21, 10})), std::nullopt);
    EXPECT_EQ(read_process_event(message(2, {7, 7, 0, 0})), (ProcessEvent{Kind::changed, 7, 0}));
    EXPECT_EQ(read_process_event(message(0x200, {7, 7, 0, 0})), (ProcessEvent{Kind::changed, 7, 0}));
    EXPECT_EQ(read_process_event(message(0x200, {8, 7, 0, 0})), std::nullopt);
    EXPECT_EQ(read_process_event(message(0x80000000, {7, 7, 0, 0})), (ProcessEvent{Kind::ended, 7, 0}));
    EXPECT_EQ(read_process_event(message(0x80000000, {8, 7, 0, 0})), std::nullopt);
    EXPECT_EQ(read_process_event(message(4, {7, 7, 0, 0})), std::nullopt);
    EXPECT_EQ(read_process_event(message(2, {7, 7, 0, 0}, 9)), std::nullopt);
}

TEST(ProcessEventMessages, AShortOneIsNone) {
    const std::vector<std::byte> whole = message(1, {10, 10, 20, 20});
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(read_process_event(std::span(whole).first(size)), std::nullopt) << size;
}

}  // namespace
}  // namespace vigil::daemon

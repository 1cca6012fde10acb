#include "engine/cli/capture_file.h"

#include <gtest/gtest.h>

#include "tests/packet/frame_builder.h"
#include "tests/replay/pcap_file.h"

namespace vigil::test {
namespace {

using cli::read_capture;

Octets advert() { return frame().vrrp_v3(7, 200).address("10.0.0.100").build(); }

std::string error_of(const std::string& path) {
    const auto capture = read_capture(path);
    return capture ? "no error" : capture.error();
}

TEST(CaptureFile, FramesHaveTheirTimesAndOctets) {
    const TemporaryFile file(PcapBytes().frame(5, advert(), 0, 123).frame(6, advert()).bytes());
    const auto capture = read_capture(file.path());
    ASSERT_TRUE(capture) << capture.error();
    ASSERT_EQ(capture->frames.size(), 2u);
    EXPECT_EQ(capture->frames[0].at, Instant{5'000'123'000});
    EXPECT_EQ(capture->frames[0].bytes, advert());
    EXPECT_FALSE(capture->frames[0].is_truncated);
    EXPECT_EQ(capture->complaint, "");
}

TEST(CaptureFile, FramesComeInOrderOfTime) {
    const TemporaryFile file(PcapBytes().frame(9, advert()).frame(3, advert()).frame(6, advert()).bytes());
    const auto capture = read_capture(file.path());
    ASSERT_TRUE(capture) << capture.error();
    EXPECT_EQ(capture->frames[0].at, Instant{3'000'000'000});
    EXPECT_EQ(capture->frames[2].at, Instant{9'000'000'000});
}

TEST(CaptureFile, AFrameOfWhichTheCaptureKeptLessIsMarked) {
    const TemporaryFile file(PcapBytes().frame(5, advert(), 20).bytes());
    const auto capture = read_capture(file.path());
    ASSERT_TRUE(capture) << capture.error();
    EXPECT_TRUE(capture->frames[0].is_truncated);
}

TEST(CaptureFile, WhatIsLeftOfAFileThatEndsWithinAFrameIsKept) {
    FileBytes bytes = PcapBytes().frame(5, advert()).frame(6, advert()).bytes();
    bytes.resize(bytes.size() - 3);
    const TemporaryFile file(bytes);
    const auto capture = read_capture(file.path());
    ASSERT_TRUE(capture) << capture.error();
    EXPECT_EQ(capture->frames.size(), 1u);
    EXPECT_NE(capture->complaint.find("after 1 frames"), std::string::npos) << capture->complaint;
}

TEST(CaptureFile, NoCaptureIsSaidWithItsName) {
    const TemporaryFile file(FileBytes{'v', 'r', 'r', 'p', '_', 'i', 'n', 's', 't', 'a', 'n', 'c', 'e', ' ', 'V', 'I', '_', '1', ' ', '{', '\n', '}', '\n', '\n'});
    EXPECT_EQ(error_of(file.path()).find(file.path() + ": no capture that can be read: "), 0u) << error_of(file.path());
    EXPECT_NE(error_of("/nonexistent/x.pcap").find("/nonexistent/x.pcap"), std::string::npos);
    EXPECT_EQ(error_of("/"), "/: is a directory, not a capture");
}

TEST(CaptureFile, ACaptureWithoutFramesIsAnError) {
    const TemporaryFile file(PcapBytes().bytes());
    EXPECT_EQ(error_of(file.path()), file.path() + ": the capture has no frames");
    const TemporaryFile empty(FileBytes{});
    EXPECT_NE(error_of(empty.path()).find(": no capture that can be read: "), std::string::npos) << error_of(empty.path());
}

TEST(CaptureFile, ACaptureOnAnyIsRefusedWithTheRemedy) {
    for (const std::uint32_t link_type : {113u, 276u}) {  // LINUX_SLL, LINUX_SLL2
        const TemporaryFile file(PcapBytes(link_type).frame(5, advert()).bytes());
        EXPECT_NE(error_of(file.path()).find("'any'"), std::string::npos) << error_of(file.path());
        EXPECT_NE(error_of(file.path()).find("tcpdump -i INTERFACE"), std::string::npos) << error_of(file.path());
    }
    const TemporaryFile raw(PcapBytes(101).frame(5, advert()).bytes());  // RAW
    EXPECT_NE(error_of(raw.path()).find("link type is RAW"), std::string::npos) << error_of(raw.path());
    EXPECT_EQ(error_of(raw.path()).find("'any'"), std::string::npos);
}

TEST(CaptureFile, ATimeOutOfAllReasonEndsTheCapture) {
    const TemporaryFile file(PcapBytes().frame(5, advert()).frame(6, advert(), 0, 4'000'000'000).bytes());
    const auto capture = read_capture(file.path());
    ASSERT_TRUE(capture) << capture.error();
    EXPECT_EQ(capture->frames.size(), 1u);
    EXPECT_NE(capture->complaint.find("frame 2 has an impossible time"), std::string::npos) << capture->complaint;
}

}  // namespace
}  // namespace vigil::test

// Capture files come from disks that were full and tools that were killed. Every capture of pcaps/ is cut at every octet and spoilt at
// random places (seeded); the replay must end with a transcript or a sentence, under the sanitizers without a finding.

#include <gtest/gtest.h>

#include <random>

#include "engine/cli/capture_replay.h"
#include "engine/cli/observers.h"
#include "tests/replay/pcap_file.h"

namespace vigil::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t seed = 20'240'612;
constexpr int spoilt_copies = 20;       // of each capture
constexpr int spoilt_octets = 8;        // at most, of each copy

std::vector<fs::path> captures() {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(VIGIL_PCAPS)) {
        if (entry.path().extension() == ".pcap") paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    return paths;
}

/// The frames that can still be read.
std::vector<cli::CapturedFrame> try_read(const TemporaryFile& file) {
    auto capture = cli::read_capture(file.path());
    if (capture) return std::move(capture->frames);
    EXPECT_FALSE(capture.error().empty());
    return {};
}

void try_replay(const std::vector<cli::CapturedFrame>& frames) {
    const auto text = cli::replay_capture(frames, cli::observers_of(frames), {});
    EXPECT_FALSE(text ? text->empty() : text.error().empty());
}

TEST(CaptureDamage, EveryTruncationEndsWithATranscriptOrASentence) {
    ASSERT_FALSE(captures().empty());
    for (const fs::path& path : captures()) {
        const FileBytes bytes = read_file(path);
        const TemporaryFile file(bytes);
        std::size_t frames = try_read(file).size();
        EXPECT_GT(frames, 1u) << path;
        for (std::size_t size = bytes.size(); size-- > 0;) {
            file.cut_to(size);
            const auto left = try_read(file);
            if (left.size() == frames) continue;  // what was replayed before
            EXPECT_EQ(left.size() + 1, frames) << path << " cut to " << size << " octets";
            try_replay(left);
            frames = left.size();
        }
        EXPECT_EQ(frames, 0u) << path;
    }
}

TEST(CaptureDamage, SpoiltOctetsEndWithATranscriptOrASentence) {
    const TemporaryFile file;
    std::mt19937_64 random(seed);
    for (const fs::path& path : captures()) {
        const FileBytes bytes = read_file(path);
        for (int copy = 0; copy < spoilt_copies; ++copy) {
            FileBytes spoilt = bytes;
            const auto count = 1 + random() % spoilt_octets;
            for (std::uint64_t i = 0; i < count; ++i) spoilt[random() % spoilt.size()] = static_cast<std::uint8_t>(random());
            file.write(spoilt);
            SCOPED_TRACE(path.string() + ", copy " + std::to_string(copy));
            try_replay(try_read(file));
        }
    }
}

}  // namespace
}  // namespace vigil::test

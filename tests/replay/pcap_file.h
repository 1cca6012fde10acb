#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace vigil::test {

using FileBytes = std::vector<std::uint8_t>;

inline void append_u32(FileBytes& bytes, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// A little-endian pcap file with times in microseconds, made by hand.
class PcapBytes {
public:
    explicit PcapBytes(std::uint32_t link_type = 1) {
        append_u32(bytes_, 0xa1b2c3d4);
        append_u32(bytes_, 0x00040002);  // version 2.4
        append_u32(bytes_, 0);
        append_u32(bytes_, 0);
        append_u32(bytes_, 65535);
        append_u32(bytes_, link_type);
    }
    PcapBytes& frame(std::uint32_t seconds, const FileBytes& octets, std::uint32_t lost_octets = 0, std::uint32_t microseconds = 0) {
        append_u32(bytes_, seconds);
        append_u32(bytes_, microseconds);
        append_u32(bytes_, static_cast<std::uint32_t>(octets.size()));
        append_u32(bytes_, static_cast<std::uint32_t>(octets.size()) + lost_octets);
        bytes_.insert(bytes_.end(), octets.begin(), octets.end());
        return *this;
    }
    const FileBytes& bytes() const { return bytes_; }

private:
    FileBytes bytes_;
};

/// A file in memory that is gone afterwards; tests write tens of thousands of them.
class TemporaryFile {
public:
    TemporaryFile() : fd_(memfd_create("vigil-replay", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(fd_)) {}
    explicit TemporaryFile(const FileBytes& bytes) : TemporaryFile() { write(bytes); }
    ~TemporaryFile() { close(fd_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    void write(std::span<const std::uint8_t> bytes) const {
        cut_to(0);
        EXPECT_EQ(pwrite(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    }
    void cut_to(std::size_t size) const { EXPECT_EQ(ftruncate(fd_, static_cast<off_t>(size)), 0); }
    const std::string& path() const { return path_; }

private:
    int fd_;
    std::string path_;
};

inline FileBytes read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace vigil::test

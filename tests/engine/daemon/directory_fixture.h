#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace vigil::daemon {

/// A test with a directory of its own, which is gone afterwards.
class DirectoryTest : public testing::Test {
protected:
    DirectoryTest() {
        std::string name = (std::filesystem::temp_directory_path() / "vigil-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::filesystem::filesystem_error("mkdtemp", name, std::error_code(errno, std::generic_category()));
        directory_ = name;
    }
    ~DirectoryTest() override { std::filesystem::remove_all(directory_); }

    /// Of something in it; an absolute path stays what it is.
    std::string path(const std::string& name) const { return (directory_ / name).string(); }
    bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }
    void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
    std::string content(const std::string& name) const {
        std::ifstream in(path(name));
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::filesystem::path directory_;
};

}  // namespace vigil::daemon

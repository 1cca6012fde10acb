/// The files of tutorials/ are configurations as people copy them, mistakes included. Beside each stands what must be said about it
/// (FILE.expected), read by a person: every mistake with its place and the remedy, nothing about what is sound.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config_fixture.h"

namespace vigil::config::test {

std::string read_all(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> tutorial_names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(TUTORIALS)) {
        if (entry.path().extension() == ".conf") names.push_back(entry.path().stem());
    }
    std::sort(names.begin(), names.end());
    return names;
}

class Tutorial : public ::testing::TestWithParam<std::string> {
protected:
    LoadResult result_ = load_text(GetParam() + ".conf", read_all(std::string(TUTORIALS) + "/" + GetParam() + ".conf"));
};

TEST_P(Tutorial, SaysWhatIsExpected) {
    std::string report;
    for (const Diagnostic& diagnostic : result_.diagnostics.all()) report += to_text(diagnostic, result_.configuration);
    EXPECT_EQ(report, read_all(std::string(TUTORIALS) + "/" + GetParam() + ".expected"));
}

TEST_P(Tutorial, GivesItsInstance) {
    ASSERT_EQ(result_.configuration.instances.size(), 1u);
    EXPECT_GE(result_.configuration.instances[0].virtual_addresses.size(), 1u);
}

/// Whatever the dump writes can be read again, and means the same.
TEST_P(Tutorial, ItsDumpReadsBackToTheSameDump) {
    const std::string first = dump(result_.configuration);
    const LoadResult again = load_text("dump.conf", first);
    EXPECT_EQ(dump(again.configuration), first);
}

INSTANTIATE_TEST_SUITE_P(All, Tutorial, ::testing::ValuesIn(tutorial_names()), [](const auto& parameter) {
    std::string name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(Tutorials, ArePresent) { EXPECT_GE(tutorial_names().size(), 8u); }

}  // namespace vigil::config::test

#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

class Includes : public ::testing::Test {
protected:
    Includes() { options_.file_system = &files_; }
    void add(const std::string& path, std::string content) { files_.files[path].content = std::move(content); }
    Preprocessed run(std::string_view text) { return preprocess(text, options_); }

    MemoryFiles files_;
    LoadOptions options_;
};

TEST_F(Includes, PutTheLinesOfTheFileInPlace) {
    add("/etc/vigil/a.conf", "one\ntwo\n");
    EXPECT_EQ(run("begin\ninclude a.conf\nend\n").lines, (Lines{"begin", "one", "two", "end"}));
}

TEST_F(Includes, AreRelativeToTheIncludingFile) {
    add("/etc/vigil/sub/a.conf", "include b.conf\n");
    add("/etc/vigil/sub/b.conf", "deep ${_PWD}\n");
    EXPECT_EQ(run("include sub/a.conf\nback ${_PWD}\n").lines, (Lines{"deep /etc/vigil/sub", "back /etc/vigil"}));
}

TEST_F(Includes, ReadAllMatchesOfAPatternInOrder) {
    add("/etc/vigil/conf.d/1.conf", "one\n");
    add("/etc/vigil/conf.d/2.conf", "two\n");
    add("/etc/vigil/conf.d/3.txt", "three\n");
    EXPECT_EQ(run("include conf.d/*.conf\n").lines, (Lines{"one", "two"}));
}

TEST_F(Includes, ExpandBraces) {
    add("/etc/vigil/a1.conf", "a1\n");
    add("/etc/vigil/b1.conf", "b1\n");
    add("/etc/vigil/b2.conf", "b2\n");
    EXPECT_EQ(run("include {a,b}1.conf\ninclude b{1,2}.conf\n").lines, (Lines{"a1", "b1", "b1", "b2"}));
}

TEST_F(Includes, OfExecutableFilesAreLeftOut) {
    add("/etc/vigil/a.conf", "one\n");
    files_.files["/etc/vigil/a.conf"].kind = FileSystem::Kind::executable;
    const Preprocessed result = run("include a.conf\n");
    EXPECT_EQ(result.lines, (Lines{}));
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 1u);
    EXPECT_TRUE(result.is_readable);
}

TEST_F(Includes, OfDirectoriesAreLeftOut) {
    files_.files["/etc/vigil/d.conf"].kind = FileSystem::Kind::other;
    EXPECT_EQ(run("include *.conf\n").lines, (Lines{}));
}

TEST_F(Includes, OfWhatIsNoFileIsANoteThatSaysWhy) {
    files_.files["/dev/zero"].kind = FileSystem::Kind::other;
    const Preprocessed result = run("include /dev/zero\n");
    ASSERT_EQ(result.diagnostics.count(Severity::note), 1u);
    EXPECT_EQ(result.diagnostics.all()[0].message, "'/dev/zero' is no regular file, nothing is included");
    EXPECT_TRUE(result.is_readable);
    EXPECT_FALSE(run("includer /dev/zero\n").is_readable);
}

TEST_F(Includes, OfAPatternSayWhatWasSkippedAndDoNotFail) {
    add("/etc/vigil/conf.d/1.conf", "one\n");
    files_.files["/etc/vigil/conf.d/old"].kind = FileSystem::Kind::other;
    files_.files["/etc/vigil/conf.d/link"].kind = FileSystem::Kind::missing;
    const Preprocessed result = run("includea conf.d/*\n");
    EXPECT_EQ(result.lines, (Lines{"one"}));
    EXPECT_EQ(result.diagnostics.count(Severity::note), 2u);
    EXPECT_TRUE(result.is_readable);
}

TEST_F(Includes, GoWithConditionsAndDefinitions) {
    options_.config_id = "left";
    add("/etc/vigil/left.conf", "yes\n");
    add("/etc/vigil/right.conf", "no\n");
    EXPECT_EQ(run("$N=left\n@left include ${N}.conf\n@right include right.conf\n").lines, (Lines{"yes"}));
}

TEST_F(Includes, PlainIncludeOfNothingIsOnlyANote) {
    const Preprocessed result = run("include none.conf\ninclude none/*.conf\n");
    EXPECT_EQ(result.diagnostics.count(Severity::note), 2u);
    EXPECT_EQ(test_exit_code(result.diagnostics), 0);
    EXPECT_TRUE(result.is_readable);
}

TEST_F(Includes, IncludemNeedsAPlainFileToExist) {
    EXPECT_FALSE(run("includem none.conf\n").is_readable);
    EXPECT_TRUE(run("includem none/*.conf\n").is_readable);
}

TEST_F(Includes, IncludewNeedsAPatternToMatch) {
    EXPECT_FALSE(run("includew none/*.conf\n").is_readable);
    EXPECT_FALSE(run("includew none.conf\n").is_readable);
}

TEST_F(Includes, IncludebNeedsEveryAlternativeToMatch) {
    add("/etc/vigil/a.conf", "one\n");
    EXPECT_FALSE(run("includeb {a,b}.conf\n").is_readable);
    EXPECT_TRUE(run("includew {a,b}.conf\n").is_readable);
}

TEST_F(Includes, IncluderNeedsMatchedFilesToBeReadable) {
    add("/etc/vigil/a.conf", "one\n");
    files_.files["/etc/vigil/a.conf"].is_readable = false;
    EXPECT_TRUE(run("include a.conf\n").is_readable);
    EXPECT_FALSE(run("includer a.conf\n").is_readable);
}

TEST_F(Includes, IncludeaNeedsEverything) {
    EXPECT_FALSE(run("includea none.conf\n").is_readable);
    EXPECT_FALSE(run("includea none/*\n").is_readable);
    EXPECT_FALSE(run("includea {x,y}\n").is_readable);
}

TEST_F(Includes, FailuresMakeTheExitCode4) { EXPECT_EQ(test_exit_code(run("includea none.conf\n").diagnostics), 4); }

TEST_F(Includes, IncludeCheckRaisesTheLevelForThisFileAndBelow) {
    add("/etc/vigil/a.conf", "include none.conf\n");
    EXPECT_FALSE(run("include_check\ninclude a.conf\n").is_readable);
    EXPECT_FALSE(run("include_check read +match\ninclude none.conf\n").is_readable);
    EXPECT_TRUE(run("include_check\ninclude_check -match -wildcard_match\ninclude none.conf\n").is_readable);
}

TEST_F(Includes, IncludeCheckEndsWithItsFile) {
    add("/etc/vigil/a.conf", "include_check\n");
    EXPECT_TRUE(run("include a.conf\ninclude none.conf\n").is_readable);
}

TEST_F(Includes, TheOptionRaisesTheLevelToo) {
    options_.include_checks = {true, true, true, true};
    EXPECT_FALSE(run("include none.conf\n").is_readable);
}

TEST_F(Includes, OtherLettersAreAnUnknownKeyword) { EXPECT_EQ(run("includex a.conf\n").lines, (Lines{"includex a.conf"})); }

TEST_F(Includes, OfItselfIsReported) {
    add("/etc/vigil/a.conf", "x\ninclude b.conf\n");
    add("/etc/vigil/b.conf", "y\ninclude a.conf\n");
    const Preprocessed result = run("include a.conf\n");
    EXPECT_EQ(result.lines, (Lines{"x", "y"}));
    EXPECT_FALSE(result.is_readable);
}

TEST_F(Includes, DepthIsBounded) {
    for (int n = 0; n < 100; ++n) add("/etc/vigil/f" + std::to_string(n), "include f" + std::to_string(n + 1) + "\n");
    const Preprocessed result = run("include f0\n");
    EXPECT_FALSE(result.is_readable);
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST_F(Includes, ABlockMayBeginInOneFileAndEndInAnother) {
    add("/etc/vigil/head.conf", "vrrp_instance VI_1 {\n interface eth0\n");
    add("/etc/vigil/vrid.conf", "virtual_router_id 9\n");
    const LoadResult result = load_text("/etc/vigil/main.conf",
                                        "include head.conf\ninclude vrid.conf\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n", options_);
    EXPECT_EQ(summary(result), "");
    EXPECT_EQ(to_number(result.configuration.instances.at(0).vrid), 9);
}

TEST_F(Includes, ProblemsNameTheIncludedFile) {
    add("/etc/vigil/a.conf", "\nnonsense 1\n");
    const LoadResult result = load_text("/etc/vigil/main.conf", "include a.conf\n", options_);
    EXPECT_EQ(to_line(result.diagnostics.all().at(0), result.configuration),
              "/etc/vigil/a.conf:2:1: error: unknown keyword 'nonsense' at the root level");
}

TEST_F(Includes, AMissingFileNameIsReported) { EXPECT_EQ(run("include\n").diagnostics.count(Severity::error), 1u); }

TEST_F(Includes, TheMainFileMayBeAPattern) {
    add("/etc/vigil/1.conf", "global_defs {\n router_id a\n");
    add("/etc/vigil/2.conf", "}\n");
    options_.path = "/etc/vigil/*.conf";
    const LoadResult result = load(options_);
    EXPECT_EQ(summary(result), "");
    EXPECT_EQ(result.configuration.global.router_id, "a");
}

TEST_F(Includes, AMissingMainFileIsExitCode4) {
    options_.path = "/etc/vigil/none.conf";
    const LoadResult result = load(options_);
    EXPECT_FALSE(result.is_readable);
    EXPECT_EQ(test_exit_code(result.diagnostics), 4);
    EXPECT_EQ(to_line(result.diagnostics.all().at(0), result.configuration), "/etc/vigil/none.conf: error: no such configuration file");
}

TEST(Braces, ExpandInWrittenOrderAndNest) {
    EXPECT_EQ(expand_braces("a{b,c{d,e}}f{g,h}"), (Lines{"abfg", "abfh", "acdfg", "acdfh", "acefg", "acefh"}));
}

TEST(Braces, ThatDoNotCloseAreText) { EXPECT_EQ(expand_braces("a{b"), (Lines{"a{b"})); }

TEST(Braces, AreBounded) {
    std::string pattern;
    for (int n = 0; n < 40; ++n) pattern += "{a,b}";
    EXPECT_LE(expand_braces(pattern).size(), 1024u);
}

}  // namespace vigil::config::test

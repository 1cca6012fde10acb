#include "config/name_tables.h"

#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

TEST(NameTables, KnowTheKernelsNamesWithoutAnyFile) {
    MemoryFiles files;
    NameTables names;
    EXPECT_EQ(names.find(NameKind::table, "main", files, {}), 254u);
    EXPECT_EQ(names.find(NameKind::scope, "link", files, {}), 253u);
    EXPECT_EQ(names.find(NameKind::protocol, "keepalived", files, {}), 18u);
    EXPECT_EQ(names.find(NameKind::ip_protocol, "vrrp", files, {}), 112u);
    EXPECT_EQ(names.find(NameKind::table, "blue", files, {}), std::nullopt);
}

TEST(NameTables, TakeNumbersOfAllBasesThatFit) {
    MemoryFiles files;
    NameTables names;
    EXPECT_EQ(names.find(NameKind::table, "0x100", files, {}), 256u);
    EXPECT_EQ(names.find(NameKind::table, "4294967295", files, {}), 4294967295u);
    EXPECT_EQ(names.find(NameKind::table, "4294967296", files, {}), std::nullopt);
    EXPECT_EQ(names.find(NameKind::protocol, "256", files, {}), std::nullopt);
    EXPECT_EQ(names.find(NameKind::table, "-1", files, {}), std::nullopt);
}

TEST(NameTables, TheAdministratorsFilesWinOverTheVendors) {
    MemoryFiles files;
    files.files["/usr/share/iproute2/rt_tables"] = {"# tables\n100 red\n101 blue # comment\nnonsense\n5\n"};
    files.files["/etc/iproute2/rt_tables"] = {"200\tred\n"};
    files.files["/etc/iproute2/rt_tables.d/more.conf"] = {"300 green\n"};
    NameTables names;
    EXPECT_EQ(names.find(NameKind::table, "red", files, {}), 200u);
    EXPECT_EQ(names.find(NameKind::table, "blue", files, {}), 101u);
    EXPECT_EQ(names.find(NameKind::table, "green", files, {}), 300u);
}

TEST(NameTables, TheKernelsNamesCannotBeTaken) {
    MemoryFiles files;
    files.files["/etc/iproute2/rt_protos.d/frr.conf"] = {"196 static\n193 openfabric\n"};
    NameTables names;
    EXPECT_EQ(names.find(NameKind::protocol, "static", files, {}), 4u);
    EXPECT_EQ(names.find(NameKind::protocol, "openfabric", files, {}), 193u);
}

TEST(NameTables, AreWhereTheConfigurationSaysTheyAre) {
    MemoryFiles files;
    files.files["/a/rt_tables"] = {"100 red\n"};
    files.files["/b/rt_tables"] = {"101 blue\n"};
    files.files["/etc/iproute2/rt_tables"] = {"200 green\n"};
    LoadOptions options;
    options.file_system = &files;
    const LoadResult result = load_string("global_defs {\n iproute_usr_dir /a\n iproute_etc_dir /b\n}\nstatic_routes {\n 10.1.0.0/16 dev eth0 table red\n"
                                          " 10.1.0.0/16 dev eth0 table blue\n 10.1.0.0/16 dev eth0 table green\n}\n", options);
    ASSERT_EQ(result.configuration.static_routes.size(), 2u);
    EXPECT_EQ(result.configuration.static_routes[0].table, 100u);
    EXPECT_EQ(result.configuration.static_routes[1].table, 101u);
    EXPECT_EQ(summary(result), "error 8:29 'green' is neither a number that fits nor a name of rt_tables: the route is dropped\n");
}

TEST(NameTables, ProtocolsHaveTheirNameFirst) {
    MemoryFiles files;
    files.files["/etc/protocols"] = {"tcp 6 TCP # transmission control\nweird 250 WEIRD ODD\n"};
    NameTables names;
    EXPECT_EQ(names.find(NameKind::ip_protocol, "TCP", files, {}), 6u);
    EXPECT_EQ(names.find(NameKind::ip_protocol, "ODD", files, {}), 250u);
    EXPECT_EQ(names.find(NameKind::ip_protocol, "250", files, {}), 250u);
}

}  // namespace vigil::config::test

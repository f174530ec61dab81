using Godwit.Migrations;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

/// <summary>Ready-made migrations are loaded by the name of their pack.</summary>
public sealed class PackTests
{
    private const string Known = "0002_events_sample_by";

    [Theory]
    [InlineData("migrations list --pack posthog")]
    [InlineData("migrations list --pack PostHog")]
    [InlineData("check --app-version 1.40.0 --pack posthog")]
    public async Task A_pack_is_loaded_by_its_name(string line)
    {
        var fake = new FakeMigrator();

        (await CliRun.Of(line.Split(' '), fake, ct: TestContext.Current.CancellationToken)).ExitCode.ShouldBe(0);

        fake.FindMigration(Known).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_environment_names_packs_too()
    {
        var fake = new FakeMigrator();

        await CliRun.Of(["migrations", "list"], fake, variables: new() { ["HOME"] = "/no/such/home", ["GODWIT_PACKS"] = "posthog," }, ct: TestContext.Current.CancellationToken);

        fake.FindMigration(Known).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_pack_stands_beside_migrations_of_ones_own()
    {
        var folder = Directory.CreateTempSubdirectory("godwit-pack-").FullName;
        try
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, "own.yaml"), $"name: own\ndescription: After the pack\ndependsOn: {Known}\noperations: [{{ sql: SELECT 1, undo: [] }}]\n", TestContext.Current.CancellationToken);
            var fake = new FakeMigrator();

            await CliRun.Of(["migrations", "list", "--migrations", folder, "--pack", "posthog"], fake, ct: TestContext.Current.CancellationToken);

            fake.FindMigration("own").ShouldNotBeNull();
            fake.FindMigration(Known).ShouldNotBeNull();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_name_that_is_none_is_answered_with_those_that_there_are()
    {
        var run = await CliRun.Of(["migrations", "list", "--pack", "mixpanel"], new FakeMigrator(), ct: TestContext.Current.CancellationToken);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("--pack: There is no pack mixpanel; there is posthog.");
    }

    [Fact]
    public void Every_migration_of_every_pack_can_be_made()
    {
        MigrationPack.Names.ShouldBe(["posthog"]);
        foreach (var migration in MigrationLoader.Load(MigrationPack.Find("posthog")).All)
        {
            migration.Description.ShouldNotBeNullOrWhiteSpace();
            migration.Parameters.ShouldAllBe(p => p.Default != null && p.Help.Length > 0, $"{migration.Name} must be startable without a word");
        }
    }
}

using Godwit.Hosting;
using Godwit.Migrations;
using Godwit.Operations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Hosting;

/// <summary>What a host says about Godwit, and what is wrong with it, shows before the host starts.</summary>
public sealed class OptionsTests
{
    private static readonly (string, string)[] Enough = [("GODWIT_SERVER", "http://127.0.0.1:1"), ("GODWIT_STATE", "state.db")];

    public static TheoryData<string, string, string> Configurations => new()
    {
        { "GODWIT_SERVER=http://h GODWIT_STATE=/s.db", "default@h:8123 password:", "/s.db" },
        { "GODWIT_SERVER=http://h GODWIT_USER=u GODWIT_PASSWORD=p GODWIT_STATE=/s.db", "u@h:8123 password:p", "/s.db" },
        { "GODWIT_SERVER=http://a:b@h GODWIT_USER=u GODWIT_PASSWORD=p GODWIT_STATE=/s.db", "a@h:8123 password:b", "/s.db" },
        { "GODWIT_SERVER=http://a@h GODWIT_USER=u GODWIT_PASSWORD=p GODWIT_STATE=/s.db", "a@h:8123 password:p", "/s.db" },
        { "Godwit:ClickHouse:Url=http://a:b@h Godwit:ClickHouse:User=u Godwit:ClickHouse:Password=p Godwit:Store=/s.db", "u@h:8123 password:p", "/s.db" },
        { "Godwit:ClickHouse:Url=https://h GODWIT_SERVER=http://other GODWIT_USER=u Godwit:Store=/s.db GODWIT_STATE=/other.db", "u@h:8443 password:", "/s.db" },
        { "GODWIT_SERVER=http://h Godwit:Store=postgresql://u:p@db/app", "default@h:8123 password:", "db:5432/app" },
        { "GODWIT_SERVER=http://h Godwit:Store=Host=db;Port=5433;Database=app;Password=p", "default@h:8123 password:", "db:5433/app" },
    };

    [Theory]
    [MemberData(nameof(Configurations))]
    public async Task The_section_comes_before_the_variables_of_the_command(string configuration, string server, string store)
    {
        await using var host = new HostCase([.. configuration.Split(' ').Select(c => c.Split('=', 2)).Select(c => (c[0], c[1]))]);
        host.Services.AddGodwit();

        var options = Options(host);

        $"{options.ClickHouse} password:{options.ClickHouse!.Password.Reveal()}".ShouldBe(server);
        options.Store!.ToString().ShouldBe(store);
    }

    [Fact]
    public async Task A_cluster_is_read_with_its_nodes()
    {
        await using var host = new HostCase([.. Enough, ("GODWIT_CLUSTER", "main"), ("Godwit:Nodes", "a:8123, b:8123")]);
        host.Services.AddGodwit();

        var cluster = Options(host).Cluster.ShouldNotBeNull();

        (cluster.Name, string.Join(' ', cluster.Nodes)).ShouldBe(("main", "a:8123 b:8123"));
    }

    [Fact]
    public async Task Packs_are_read_by_name()
    {
        await using var host = new HostCase([.. Enough, ("GODWIT_PACKS", "posthog, mixpanel")]);
        host.Services.AddGodwit();

        (await FailuresAsync(host)).ShouldHaveSingleItem().ShouldBe("Godwit:Packs: There is no pack mixpanel; there is posthog.");
    }

    [Fact]
    public async Task Code_has_the_last_word_and_both_calls_of_AddGodwit_count()
    {
        await using var host = new HostCase([.. Enough, ("Godwit:AppVersion", "1.0.0"), ("Godwit:RunWorker", "false")]);
        host.Services.AddGodwit(godwit => godwit.AppVersion = "2.0.0").AddGodwit(godwit => godwit.Migrations.Add<Quiet>());

        var options = Options(host);

        (options.AppVersion, options.RunWorker).ShouldBe(("2.0.0", false));
        options.Definitions.All.ShouldHaveSingleItem().Name.ShouldBe("quiet");
        host.Host.Services.GetServices<IHostedService>().OfType<HostedWorker>().ShouldHaveSingleItem();
        (await host.HealthAsync()).Description.ShouldNotBeNull();
    }

    [Fact]
    public async Task Nothing_said_is_two_problems()
    {
        await using var host = new HostCase();
        host.Services.AddGodwit();

        (await FailuresAsync(host)).ShouldBe(
        [
            "Nothing says where ClickHouse is: set ClickHouse in AddGodwit, Godwit:ClickHouse:Url in the configuration, or GODWIT_SERVER.",
            "Nothing says where runs are kept: set Store in AddGodwit, Godwit:Store in the configuration, or GODWIT_STATE, to a file that outlives the process or to PostgreSQL.",
        ]);
    }

    [Fact]
    public async Task Everything_that_is_wrong_keeps_the_host_from_starting_and_is_told_at_once()
    {
        await using var host = new HostCase(
            ("GODWIT_SERVER", "http://u:geheim@h/path"), ("Godwit:Store", "postgresql://u:geheim@db"), ("Godwit:RunWorker", "perhaps"), ("Godwit:AppVersion", "new"), ("GODWIT_MIGRATIONS", "nowhere"));
        await File.WriteAllTextAsync(Path.Combine(host.Folder, "0007.yaml"), "name: 0007\ndescription: For a test\nopperations: []\n", TestContext.Current.CancellationToken);
        host.Services.AddGodwit(godwit => godwit.Migrations.AddPath("0007.yaml").Add<NeedsMuch>());

        var failures = await FailuresAsync(host);

        failures[..4].ShouldBe(
        [
            "GODWIT_SERVER: The URL of a ClickHouse server ends after the port: a path, a query or a fragment does not belong there. A /, ? or # in a password is written %2F, %3F or %23.",
            "Godwit:Store: '…@db' is not an address such as postgresql://godwit@db.example:5432/app.",
            "Godwit:RunWorker: 'perhaps' is not true or false.",
            "AppVersion: 'new' is not a version such as 1.42.0.",
        ]);
        failures.ShouldContain(f => f.StartsWith("0007.yaml:3: ", StringComparison.Ordinal));
        failures.ShouldContain(f => f.Contains("There is no file or folder", StringComparison.Ordinal) && f.Contains("nowhere", StringComparison.Ordinal));
        failures.ShouldContain(f => f.Contains("NeedsMuch", StringComparison.Ordinal) && f.Contains("It cannot be made: Unable to resolve service", StringComparison.Ordinal));
        string.Join(' ', failures.Concat(host.Log)).ShouldNotContain("geheim");
    }

    [Fact]
    public async Task A_migration_is_given_services_of_the_host()
    {
        await using var host = new HostCase(Enough);
        host.Services.AddSingleton(new Service("from the host")).AddGodwit(godwit => godwit.Migrations.Add<NeedsMuch>());

        Options(host).Definitions.Find("needs-much")!.Description.ShouldBe("from the host");
    }

    [Fact]
    public async Task A_migration_that_asks_for_what_is_made_of_all_migrations_is_refused()
    {
        await using var host = new HostCase(Enough);
        host.Services.AddGodwit(godwit => godwit.Migrations.Add<AsksForAll>());

        (await FailuresAsync(host)).ShouldHaveSingleItem().ShouldContain("its constructor asks for Migrator");
    }

    [Fact]
    public async Task All_public_migrations_of_an_assembly_are_found()
    {
        await using var host = new HostCase(Enough);
        host.Services.AddGodwit(godwit => godwit.Migrations.AddAssembly(typeof(OptionsTests).Assembly));

        Options(host).Definitions.All.Select(m => m.Name).ShouldBe(["quiet"]);
    }

    private static GodwitOptions Options(HostCase host) => host.Host.Services.GetRequiredService<IOptions<GodwitOptions>>().Value;

    private static async Task<List<string>> FailuresAsync(HostCase host) =>
        [.. (await Should.ThrowAsync<OptionsValidationException>(host.StartAsync(TestContext.Current.CancellationToken))).Failures];

    /// <summary>A migration without anything.</summary>
    public sealed class Quiet : Migration
    {
        public override string Name => "quiet";

        public override string Description => "For a test";

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations();
    }

    private sealed record Service(string Words);

    private sealed class NeedsMuch(Service service) : Migration
    {
        public override string Name => "needs-much";

        public override string Description => service.Words;

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations();
    }

    private sealed class AsksForAll(Migrator migrator) : Migration
    {
        public override string Name => migrator.Node;

        public override string Description => "For a test";

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations();
    }
}

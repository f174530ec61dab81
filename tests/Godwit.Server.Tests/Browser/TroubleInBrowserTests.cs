using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Godwit.Migrations;
using Godwit.Operations;
using Microsoft.Playwright;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Browser;

/// <summary>What somebody sees who has been woken up, and what somebody may not do who only looks.</summary>
public sealed class TroubleInBrowserTests(RealEngine real, Chromium chromium)
{
    private static readonly MigrationSet Broken = MigrationLoader.Load([], [typeof(WritesToATableThatIsGone)]);

    [Fact]
    public async Task A_failed_run_says_what_happened_why_and_what_helps()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { Migrations = Broken });
        await server.UserAsync(Role.Operator);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("operator");
        var page = person.Page;

        await page.GetByRole(AriaRole.Link, new() { Name = "Migrations" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "0001_broken" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Run", Exact = true }).ClickAsync();
        await page.GetByLabel("days").FillAsync("0");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check and plan" }).ClickAsync();
        await person.SeesAsync("days: the value 0 is below 1.");
        await page.GetByLabel("days").FillAsync("7");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check and plan" }).ClickAsync();
        await person.SeesStateAsync("NotStarted");
        await person.DoAsync("Start");
        await person.SeesStateAsync("Failed");

        var errors = page.Locator("[data-region=errors]");
        await Assertions.Expect(errors).ToContainTextAsync("Likely cause");
        (await errors.InnerTextAsync()).ShouldContain("roll back and plan again");
        (await person.TextAsync()).ShouldContain("Failed. Nothing of it is at work");
        await person.RequireGoodPageAsync();
        await person.KeepPictureAsync("run-failed");

        await person.DoAsync("Roll back");
        await person.SeesStateAsync("RolledBack");
    }

    [Fact]
    public async Task A_viewer_sees_everything_and_is_offered_nothing_to_do()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { Migrations = Broken, RunsWorker = false });
        await server.UserAsync(Role.Viewer);
        var proposal = await server.Migrator.ProposeAsync(new MigrationRequest("0001_broken"), new(), TestContext.Current.CancellationToken);
        var run = await server.Migrator.CreateRunAsync(proposal.Plan!, new(), TestContext.Current.CancellationToken);
        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("viewer");

        await person.OpenAsync($"/runs/{run}");
        (await person.TextAsync()).ShouldContain("Planned, and not started.");
        (await person.Page.Locator("[data-ask]").CountAsync()).ShouldBe(0);
        await person.OpenAsync($"/runs/{run}/ask/start");
        (await person.TextAsync()).ShouldContain("You may not do that");
        await person.OpenAsync("/migrations/0001_broken/start");
        (await person.TextAsync()).ShouldContain("You may not do that");
        (await person.Page.GetByRole(AriaRole.Link, new() { Name = "Users" }).CountAsync()).ShouldBe(0);
    }

    /// <summary>Its table was dropped by somebody after it was written.</summary>
    public sealed class WritesToATableThatIsGone : Migration
    {
        public override string Name => "0001_broken";

        public override string Description => "Fills a table that is not there any more";

        public override IReadOnlyList<Parameter> Parameters => [new("days", ParameterType.Integer) { Default = "30", Min = "1", Help = "How many days." }];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) =>
            Operations(new SqlOperation("INSERT INTO default.gone_since SELECT 1") { Undo = new(["SELECT 1"]) });
    }
}

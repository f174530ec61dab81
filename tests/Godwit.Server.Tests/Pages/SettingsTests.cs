using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server.Tests.Access;
using Godwit.Workers;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Pages;

public class SettingsTests
{
    private const string Hook = "https://hooks.example.com/services/T0/B0/s3cr3t";
    private const string Shown = "https://hooks.example.com/…";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_setting_is_there_with_its_help_and_its_default()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);

        var page = await browser.GetAsync("/settings");

        foreach (var setting in WorkerSettings.Definitions)
        {
            page.Form(setting.Name).ShouldNotBeNull();
            page.Text.ShouldContain(setting.Help);
        }
    }

    [Fact]
    public async Task An_operator_changes_a_setting_and_sets_it_back()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);

        (await SaveAsync(browser, "maxConcurrentRuns", "3")).Location.ShouldBe("/settings?done=maxConcurrentRuns#maxConcurrentRuns");
        (await site.Migrator.SettingsAsync(Ct)).MaxConcurrentRuns.ShouldBe(3);
        (await browser.GetAsync("/settings?done=maxConcurrentRuns")).Text.ShouldContain("maxConcurrentRuns is stored.");
        (await browser.SubmitAsync("/settings", "maxConcurrentRuns", ("Form.Value", "3"), ("Form.Act", "reset"))).Status.ShouldBe(302);

        (await site.Migrator.SettingsAsync(Ct)).MaxConcurrentRuns.ShouldBe(1);
        (await site.AuditAsync()).ShouldBe(["operator from 127.0.0.1: unset maxConcurrentRuns", "operator from 127.0.0.1: set maxConcurrentRuns (3)"]);
    }

    [Theory]
    [InlineData("maxConcurrentRuns", "17", "the value 17 is above 16")]
    [InlineData("maxConcurrentRuns", "<script>alert(1)</script>", "is not a whole number")]
    [InlineData("timeWindows", "25:00-26:00", "timeWindows:")]
    [InlineData("notify", "https://user:pass@hooks.example.com/s3cr3t", "holds a login")]
    [InlineData("notify", "gopher://s3cr3t", "cannot be notified")]
    [InlineData("drain", "maybe", "is not true or false")]
    public async Task What_is_wrong_with_a_value_is_said_at_its_field(string name, string value, string sentence)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);

        var page = await SaveAsync(browser, name, value);

        page.Status.ShouldBe(200);
        page.Text.ShouldContain(sentence);
        page.Html.ShouldNotContain("<script>alert");
        page.Html.ShouldNotContain("s3cr3t");
        (await site.AuditAsync())[0].ShouldStartWith($"operator from 127.0.0.1: set refused {name}");
        (await site.Migrator.SettingsAsync(Ct)).Texts.ShouldBe(WorkerSettings.Definitions.ToDictionary(d => d.Name, d => d.Default!), ignoreOrder: true);
    }

    // With a mail server of one's own as the target, Godwit would hand over whatever it can read.
    [Theory]
    [InlineData("env:GODWIT_OPENID_SECRET")]
    [InlineData("file:/etc/godwit/key.pem")]
    [InlineData("smtp://ada@mail.example/?from=a@mail.example&to=a@mail.example&password-env=GODWIT_PASSWORD")]
    [InlineData("https://hooks.example.com/x smtps://ada@mail.example/?from=a@mail.example&to=a@mail.example&password-file=/etc/godwit/key.pem")]
    public async Task Only_an_admin_lets_the_server_read_a_file_or_a_variable_of_its_own(string value)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);
        using var admin = await site.VisitorOfAsync(Role.Admin);

        (await SaveAsync(browser, "notify", value)).Text.ShouldContain("Only an admin may name a file or an environment variable");
        (await site.Migrator.SettingsAsync(Ct)).Texts["notify"].ShouldBe("");
        (await site.AuditAsync())[0].ShouldStartWith("operator from 127.0.0.1: set refused notify");

        // What an admin has named an operator may leave as it is, and take away.
        (await SaveAsync(admin, "notify", value)).Status.ShouldBe(302);
        (await SaveAsync(browser, "notify", $"{value} https://hooks.example.com/y")).Status.ShouldBe(302);
        (await SaveAsync(browser, "notify", "")).Status.ShouldBe(302);
    }

    [Fact]
    public async Task The_secret_in_an_address_never_reaches_a_page_and_is_not_lost_by_saving_what_is_shown()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);
        using var viewer = await site.VisitorOfAsync(Role.Viewer);
        await SaveAsync(browser, "notify", Hook);

        foreach (var who in new[] { browser, viewer })
        {
            foreach (var path in new[] { "/settings", "/settings?done=notify", "/audit" })
            {
                var page = await who.GetAsync(path);
                page.Html.ShouldNotContain("s3cr3t");
                page.Text.ShouldContain(path == "/audit" ? Shown : "notify");
            }
        }

        await SaveAsync(browser, "notify", Shown);
        await SaveAsync(browser, "notify", $"{Shown} env:ANOTHER");

        (await StoredAsync(site)).ShouldBe($"{Hook} env:ANOTHER");
        await SaveAsync(browser, "notify", $"env:FIRST {Shown}");
        (await StoredAsync(site)).ShouldBe($"env:FIRST {Hook}");
        string.Join('\n', site.Log.Concat(await site.AuditAsync())).ShouldNotContain("s3cr3t");
    }

    [Fact]
    public async Task Of_two_addresses_that_look_alike_one_is_not_guessed()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);
        await SaveAsync(browser, "notify", $"{Hook}1 {Hook}2");

        await SaveAsync(browser, "notify", $"{Shown} {Shown} env:ANOTHER");
        (await StoredAsync(site)).ShouldBe($"{Hook}1 {Hook}2 env:ANOTHER");

        (await SaveAsync(browser, "notify", Shown)).Text.ShouldContain("is masked: write it whole");
        (await SaveAsync(browser, "notify", "https://other.example.com/…")).Text.ShouldContain("is masked: write it whole");
        (await StoredAsync(site)).ShouldBe($"{Hook}1 {Hook}2 env:ANOTHER");
    }

    [Fact]
    public async Task What_was_not_changed_is_not_stored_again()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);

        (await SaveAsync(browser, "drain", "false")).Status.ShouldBe(302);

        (await site.AuditAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_test_goes_to_everybody_in_notify_and_its_result_is_shown()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);
        await SaveAsync(browser, "notify", "http://127.0.0.1:9/s3cr3t");

        var page = await browser.SubmitAsync("/settings", "notify", ("Form.Value", ""), ("Form.Act", "test"));

        page.Text.ShouldContain("The test did not reach http://127.0.0.1:9/…");
        page.Html.ShouldNotContain("s3cr3t");
        (await site.AuditAsync())[0].ShouldBe("operator from 127.0.0.1: test notify notify (0 of 1 took it)");
        (await StoredAsync(site)).ShouldBe("http://127.0.0.1:9/s3cr3t");
    }

    [Fact]
    public async Task A_viewer_sees_the_values_and_no_button()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);

        var page = await browser.GetAsync("/settings");

        page.Text.ShouldContain("rollbackWindowHours");
        page.Text.ShouldNotContain("Save");
        page.Form("drain").ShouldBeNull();
    }

    private static Task<Page> SaveAsync(Visitor browser, string name, string value) => browser.SubmitAsync("/settings", name, ("Form.Value", value), ("Form.Act", "save"));

    private static async Task<string?> StoredAsync(Site site)
    {
        await using var store = StoreLocation.Sqlite(site.State).Open();
        return (await store.GetSettingsAsync(Ct)).GetValueOrDefault("notify");
    }
}

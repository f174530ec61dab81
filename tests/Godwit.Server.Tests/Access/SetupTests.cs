using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

public class SetupTests
{
    private static readonly (string, string)[] Ada = [("Form.Name", "ada"), ("Form.Password", Site.Password), ("Form.Again", Site.Password)];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_link_makes_the_first_admin_once()
    {
        await using var site = await Site.StartAsync();
        using var browser = site.NewVisitor();
        site.Said.ShouldContain(s => s.Contains(site.SetupPath, StringComparison.Ordinal));

        (await browser.SubmitAsync(site.SetupPath, "setup", Ada)).Location.ShouldBe("/");

        (await browser.GetAsync("/users")).Status.ShouldBe(200);
        (await site.AuditAsync()).ShouldContain("ada from 127.0.0.1: first admin ada");
        using var other = site.NewVisitor();
        (await other.GetAsync(site.SetupPath)).Text.ShouldContain("This link is not good, or was used.");
    }

    [Fact]
    public async Task Of_many_who_use_the_link_at_once_one_becomes_admin()
    {
        await using var site = await Site.StartAsync();
        var browsers = Enumerable.Range(0, 6).Select(_ => site.NewVisitor()).ToList();
        var forms = await Task.WhenAll(browsers.Select(b => b.GetAsync(site.SetupPath)));

        var answers = await Task.WhenAll(browsers.Select((b, i) => b.PostAsync(
            forms[i].Form("setup")!.Value.Action!,
            [.. forms[i].Form("setup")!.Value.Hidden, ("Form.Name", $"ada{i}"), ("Form.Password", Site.Password), ("Form.Again", Site.Password)])));

        (await site.Accounts.ListAsync(Ct)).Count.ShouldBe(1);
        answers.Count(a => a.Status == 302).ShouldBe(1);
        browsers.ForEach(b => b.Dispose());
    }

    [Theory]
    [InlineData("/setup")]
    [InlineData("/setup?code=")]
    [InlineData("/setup?code=0000000000000000000000000000000000000000")]
    public async Task Without_its_code_nobody_becomes_admin(string path)
    {
        await using var site = await Site.StartAsync();
        using var browser = site.NewVisitor();
        var form = (await browser.GetAsync(site.SetupPath)).Form("setup")!.Value;

        (await browser.GetAsync(path)).Form("setup").ShouldBeNull();
        (await browser.PostAsync(path, [.. form.Hidden, .. Ada])).Status.ShouldBeLessThan(500);

        (await site.Accounts.ListAsync(Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task While_there_is_no_user_each_start_makes_a_new_link_and_ends_the_one_before()
    {
        await using var first = await Site.StartAsync();
        await using var second = await Site.StartAsync(state: first.State);
        using var browser = second.NewVisitor();

        second.SetupPath.ShouldNotBe(first.SetupPath);
        (await browser.GetAsync(first.SetupPath)).Form("setup").ShouldBeNull();
        (await browser.GetAsync(second.SetupPath)).Form("setup").ShouldNotBeNull();
    }

    [Fact]
    public async Task When_there_is_a_user_a_start_tells_of_no_link()
    {
        await using var first = await Site.StartAsync();
        await first.AddAsync("ada", Role.Admin);
        await using var second = await Site.StartAsync(state: first.State);

        second.Said.ShouldNotContain(s => s.Contains("/setup", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ada", "short", "short", "A password has 12 to 200 characters")]
    [InlineData("ada", "correct horse battery", "correct horse batterie", "The two passwords are not the same.")]
    [InlineData("<b>", "correct horse battery", "correct horse battery", "A name has 1 to 64 letters")]
    [InlineData("", "correct horse battery", "correct horse battery", "A name has 1 to 64 letters")]
    public async Task What_is_wrong_with_the_first_admin_is_said(string name, string password, string again, string sentence)
    {
        await using var site = await Site.StartAsync();
        using var browser = site.NewVisitor();

        var page = await browser.SubmitAsync(site.SetupPath, "setup", ("Form.Name", name), ("Form.Password", password), ("Form.Again", again));

        page.Text.ShouldContain(sentence);
        (await site.Accounts.ListAsync(Ct)).ShouldBeEmpty();
    }
}

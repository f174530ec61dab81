using System.Net;
using Godwit.ClickHouse;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

/// <summary>Who is let in by an identity provider, as whom.</summary>
public sealed class OpenIdTests : OpenIdScene
{
    private const string Refused = "/login?problem=openid";

    [Fact]
    public async Task Somebody_whom_theProvider_vouches_for_is_let_in_with_the_highest_role_of_its_groups()
    {
        Provider.Groups = ["people", "operators", "others"];
        using var browser = Site.NewVisitor();
        (await browser.GetAsync("/login?next=/audit")).Html.ShouldContain("href=\"/login/openid?next=%2Faudit\"");

        var page = await LoginAsync(browser, "/login/openid?next=/audit");

        (page.Status, page.Location).ShouldBe((302, "/audit"));
        var user = (await Site.Accounts.FindAsync("ada", Ct))!;
        (user.Role, user.Password).ShouldBe((Role.Operator, null));
        user.Subject.ShouldBe($"{Provider.Issuer}|248289761001");
        (await browser.GetAsync("/account")).Text.ShouldContain("You log in by your organisation");
        (await Site.AuditAsync())[0].ShouldBe("ada from 127.0.0.1: login ada (openid)");
        Provider.Asked!["code_challenge_method"].ToString().ShouldBe("S256");
        Provider.Asked["scope"].ToString().ShouldBe("openid profile email groups");
        browser.CookieNames.ShouldNotContain(n => n.StartsWith("godwit_openid", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_role_is_looked_at_anew_at_each_login()
    {
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);
        Provider.Groups = ["admins"];
        Provider.Name = "ada.lovelace";
        using var other = Site.NewVisitor();
        await LoginAsync(other);

        // Still the same user, who also has it in the session from before.
        (await Site.Accounts.ListAsync(Ct)).Select(u => (u.Name, u.Role)).ShouldBe([("ada", Role.Admin)]);
        (await browser.GetAsync("/users")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Whoever_belongs_to_no_group_any_more_loses_what_it_had()
    {
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);
        var (token, _) = await Site.Tokens.MakeAsync((await Site.Accounts.FindAsync("ada", Ct))!, "x", Role.Operator, 1, Ct);
        Provider.Groups = ["others", "Operators"];
        using var other = Site.NewVisitor();

        (await LoginAsync(other)).Location.ShouldBe(Refused);

        (await other.GetAsync(Refused)).Text.ShouldContain("you belong to none of the groups");
        (await Site.Accounts.ListAsync(Ct)).ShouldBeEmpty();
        (await browser.GetAsync("/account")).Status.ShouldBe(302);
        (await Site.Tokens.FindAsync(token!, Ct)).ShouldBeNull();
        (await Site.AuditAsync())[0].ShouldBe("somebody from 127.0.0.1: login refused openid (ada belongs to no group that is let in; the user ada is removed with its tokens)");
    }

    [Fact]
    public async Task A_user_who_was_there_is_not_taken_over_by_somebody_of_the_same_name()
    {
        await Site.AddAsync("ada", Role.Admin);
        using var browser = Site.NewVisitor();

        await LoginAsync(browser);

        (await browser.GetAsync("/account")).Heading.ShouldBe("ada-2");
        (await browser.GetAsync("/users")).Status.ShouldBe(403);
        (await Site.Accounts.FindAsync("ada", Ct))!.Subject.ShouldBeNull();
    }

    [Fact]
    public async Task Two_people_of_one_name_are_two_users()
    {
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);
        Provider.Subject = "2";
        Provider.Name = "ADA";
        using var other = Site.NewVisitor();
        await LoginAsync(other);

        (await Site.Accounts.ListAsync(Ct)).Select(u => u.Name).Order().ShouldBe(["ADA-2", "ada"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>", "scriptalert1script")]
    [InlineData("Ädä Löv ☃", "dLv")]
    [InlineData("☃", "somebody")]
    [InlineData("../../etc", "etc")]
    public async Task What_aProvider_calls_people_becomes_a_name_like_those_of_others(string name, string kept)
    {
        Provider.Name = name;
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);

        (await browser.GetAsync("/account")).Heading.ShouldBe(kept);
    }

    [Fact]
    public async Task Groups_that_stand_only_at_the_userinfo_endpoint_count_too()
    {
        Provider.IsTerse = true;
        using var browser = Site.NewVisitor();
        (await LoginAsync(browser)).Location.ShouldBe("/");
        (await browser.GetAsync("/account")).Heading.ShouldBe("ada");

        Provider.IsConfused = true;
        using var other = Site.NewVisitor();
        (await LoginAsync(other)).Location.ShouldBe(Refused);
    }

    [Fact]
    public async Task An_only_group_may_be_written_as_a_text()
    {
        Provider.Twist = claims => claims["groups"] = "admins";
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);

        (await Site.Accounts.FindAsync("ada", Ct))!.Role.ShouldBe(Role.Admin);
    }

    [Fact]
    public async Task Somebody_of_the_organisation_gets_no_password_here_and_no_role_but_that_of_its_groups()
    {
        await Site.AddAsync("boss", Role.Admin);
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);

        (await Site.Accounts.SetPasswordAsync("ada", Site.Password, Ct)).ShouldBe(["ada logs in by the organisation, and has no password here."]);
        (await Site.Accounts.SetRoleAsync("ada", Role.Admin, Ct)).ShouldBe("The role of ada comes from its groups, each time it logs in: change those.");
        (await Site.Accounts.LoginAsync("ada", "", Ct)).Outcome.ShouldBe(LoginOutcome.Unknown);
        using var boss = await Site.VisitorOfAsync(Role.Admin, "boss");
        var page = await boss.GetAsync("/users/ada");
        (page.Form("role"), page.Form("password")).ShouldBe((null, null));
    }

    [Fact]
    public async Task Its_session_ends_after_hours_so_that_its_groups_are_looked_at_again()
    {
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);
        Site.Clock.Advance(Sessions.Idle - TimeSpan.FromMinutes(30));
        (await browser.GetAsync("/account")).Status.ShouldBe(200);
        Site.Clock.Advance(TimeSpan.FromHours(1));
        (await browser.GetAsync("/account")).Status.ShouldBe(302);
    }

    [Fact]
    public async Task No_secret_of_a_login_is_logged_or_kept()
    {
        using var browser = Site.NewVisitor();
        var back = await GoAsync(browser, "/login/openid");
        await browser.GetAsync(back);
        Provider.Signature = "foreign";
        await LoginAsync(Site.NewVisitor());

        var all = string.Join('\n', Site.Log.Concat(await Site.AuditAsync()));
        all.ShouldNotContain("eyJ");
        all.ShouldNotContain(back.Split("code=")[1][..32]);
        all.ShouldNotContain(FakeProvider.ClientSecret);
    }
}

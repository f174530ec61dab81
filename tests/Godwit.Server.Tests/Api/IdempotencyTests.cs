using System.Net;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>A change is made once however often it is sent.</summary>
public sealed class IdempotencyTests(RealEngine engine) : ApiTests(engine, Role.Admin, runsWorker: false)
{
    [Fact]
    public async Task The_same_request_with_the_same_key_gets_the_same_answer_and_makes_one_run()
    {
        var wish = new { rebuild = new { table = await TableOfEvents.MakeAsync(Engine), orderBy = "(team, id)" } };
        var first = (await Api.PostAsync("/runs", wish, "key 1")).ShouldBe(HttpStatusCode.Created);
        var again = (await Api.PostAsync("/runs", wish, "key 1")).ShouldBe(HttpStatusCode.Created);

        again.Text.ShouldBe(first.Text);
        again.Headers.Location.ShouldBe(first.Headers.Location);
        first.Headers.Contains("Idempotency-Replayed").ShouldBeFalse();
        again.Headers.GetValues("Idempotency-Replayed").ShouldBe(["true"]);
        (await Api.GetAsync("/runs")).Items.Count.ShouldBe(1);

        // Another caller's key is another key.
        using var other = new ApiCaller(Server.Client(await Server.NewTokenAsync(Role.Admin, Role.Admin)));
        (await other.PostAsync("/runs", wish, "key 1")).ShouldBe(HttpStatusCode.Created)["runId"].ShouldNotBe(first["runId"]);
    }

    [Fact]
    public async Task Equal_requests_at_once_make_one_run()
    {
        var wish = new { rebuild = new { table = await TableOfEvents.MakeAsync(Engine), orderBy = "(team, id)" } };
        await using var second = await ServerFixture.StartAsync(Engine, new ServerSetup { RunsWorker = false, State = Server.State });
        using var there = new ApiCaller(second.Client(await Server.TokenAsync(Role.Admin)));

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? Api : there).PostAsync("/runs", wish, "at once")));

        answers.Count(a => a.Status == HttpStatusCode.Created && !a.Headers.Contains("Idempotency-Replayed")).ShouldBe(1);
        foreach (var waiting in answers.Where(a => a.Status != HttpStatusCode.Created))
        {
            waiting.ShouldRefuse(HttpStatusCode.Conflict, "is being answered; ask again in a moment");
            waiting.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        }

        (await Api.GetAsync("/runs")).Items.Count.ShouldBe(1);
        (await there.PostAsync("/runs", wish, "at once")).ShouldBe(HttpStatusCode.Created);
        (await Api.GetAsync("/runs")).Items.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_key_of_another_request_is_refused_and_nothing_is_done()
    {
        (await Api.PutAsync("/settings/drain", new { value = "true" }, "k")).ShouldBe(HttpStatusCode.OK);

        (await Api.PutAsync("/settings/drain", new { value = "false" }, "k")).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "came with another request before");
        (await Api.PutAsync("/settings/autoStart", new { value = "true" }, "k")).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "came with another request before");
        (await Api.DeleteAsync("/settings/drain", "k")).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "came with another request before");
        (await Api.GetAsync("/settings/drain"))["value"].ShouldBe("true");
        (await Api.GetAsync("/settings/autoStart"))["value"].ShouldBe("false");
    }

    [Fact]
    public async Task What_was_refused_may_be_sent_again_with_the_same_key()
    {
        (await Api.PutAsync("/settings/drain", new { value = "maybe" }, "k")).ShouldRefuse(HttpStatusCode.BadRequest, "maybe");
        (await Api.PutAsync("/settings/drain", new { value = "true" }, "k")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_is_1_to_200_printable_ASCII_characters()
    {
        (await Api.PutAsync("/settings/drain", new { value = "true" }, null)).ShouldRefuse(HttpStatusCode.BadRequest, "Send the header Idempotency-Key");
        (await Api.PutAsync("/settings/drain", new { value = "true" }, new string('k', 201))).ShouldRefuse(HttpStatusCode.BadRequest, "1 to 200 printable ASCII characters");
        (await Api.PutAsync("/settings/drain", new { value = "true" }, new string('k', 200))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_change_that_is_made_again_leaves_one_trace_in_the_audit_trail()
    {
        for (var i = 0; i < 3; i++)
        {
            (await Api.PutAsync("/settings/drain", new { value = "true" }, "k")).ShouldBe(HttpStatusCode.OK);
        }

        (await Api.AllAsync("/audit")).Count(e => e.GetProperty("action").GetString() == "set").ShouldBe(1);
    }

    [Fact]
    public async Task Removing_something_twice_is_answered_alike()
    {
        (await Api.PostAsync("/users", new { name = "ada", role = "Viewer", password = ServerFixture.Password })).ShouldBe(HttpStatusCode.Created);
        (await Api.DeleteAsync("/users/ada", "k")).ShouldBe(HttpStatusCode.NoContent);
        (await Api.DeleteAsync("/users/ada", "k")).ShouldBe(HttpStatusCode.NoContent).Text.ShouldBeEmpty();
        (await Api.DeleteAsync("/users/ada")).ShouldRefuse(HttpStatusCode.NotFound, "There is no user ada.");
    }

    [Fact]
    public async Task An_answer_without_a_body_leaves_the_connection_good()
    {
        var caller = $"Host: localhost\r\nAuthorization: Bearer {await Server.TokenAsync(Role.Admin)}\r\n";
        await Server.UserAsync(Role.Viewer);

        var answers = await RawHttp.SendAsync(Server.Url, System.Text.Encoding.Latin1.GetBytes(
            $"DELETE /api/v1/users/viewer HTTP/1.1\r\n{caller}Idempotency-Key: k\r\n\r\nGET /api/v1/whoami HTTP/1.1\r\n{caller}Connection: close\r\n\r\n"));

        answers.ShouldStartWith("HTTP/1.1 204 ");
        answers.ShouldContain("HTTP/1.1 200 ");
    }

    [Fact]
    public async Task The_secret_of_a_token_is_in_the_first_answer_only_and_nowhere_in_the_state()
    {
        await Server.UserAsync(Role.Viewer);
        var wish = new { user = "viewer", name = "night", role = "Viewer", days = 2 };
        var first = (await Api.PostAsync("/tokens", wish, "k")).ShouldBe(HttpStatusCode.Created);
        using var api = new ApiCaller(Server.Client(first["secret"]));
        (await api.GetAsync("/whoami"))["user"].ShouldBe("viewer");

        var again = (await Api.PostAsync("/tokens", wish, "k")).ShouldBe(HttpStatusCode.Created);
        again["secret"].ShouldBeNull();
        again["note"]!.ShouldContain("remove this token and make another one");
        again.Json.GetProperty("token").GetProperty("id").GetString().ShouldBe(first.Json.GetProperty("token").GetProperty("id").GetString());
        var secret = first["secret"]!.Split('_')[2];
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(Server.State)!))
        {
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(open, System.Text.Encoding.Latin1);
            (await reader.ReadToEndAsync(Ct)).Contains(secret, StringComparison.Ordinal).ShouldBeFalse(file);
        }
    }
}

using System.Net;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Godwit.Server.Api;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>Who may do what: the table is made of the calls that there are, so that a new one cannot be forgotten.</summary>
public sealed class AccessTests(RealEngine engine) : IAsyncLifetime
{
    private ServerFixture _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { RunsWorker = false });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Nobody_and_each_role_get_as_far_as_they_may_with_every_call()
    {
        var calls = Calls().ToList();
        calls.Count.ShouldBeGreaterThan(35);
        using var nobody = new ApiCaller(_server.Client());
        foreach (var (method, path) in calls)
        {
            (await nobody.SendAsync(method, path, null, "")).ShouldRefuse(HttpStatusCode.Unauthorized, "Authorization: Bearer");
        }

        // An admin's token that is good for less can do less.
        foreach (var (user, role) in new[] { (Role.Viewer, Role.Viewer), (Role.Operator, Role.Operator), (Role.Admin, Role.Admin), (Role.Admin, Role.Viewer), (Role.Admin, Role.Operator) })
        {
            using var api = new ApiCaller(_server.Client(await _server.NewTokenAsync(user, role)));
            foreach (var (method, path) in calls)
            {
                // Nothing of it is meant: without a key, or with what is unknown, whoever may call is told what is wrong.
                var answer = await api.SendAsync(method, $"{path}?nosuch=1", null, null);
                var may = role >= Needed(method, path);
                answer.Status.ShouldBe(may ? HttpStatusCode.BadRequest : HttpStatusCode.Forbidden, $"{user} with a token for {role}: {method} {path}: {answer.Text}");
                answer["detail"]!.ShouldContain(may ? "There is no parameter nosuch here" : $"This token is {role}, and that is not enough for this.");
            }
        }
    }

    [Fact]
    public async Task A_user_who_loses_his_role_loses_it_with_his_tokens_too()
    {
        using var api = await ApiCaller.OfAsync(_server, Role.Operator);
        (await api.GetAsync("/whoami"))["role"].ShouldBe("Operator");
        await _server.Services.GetRequiredService<Accounts>().SetRoleAsync("operator", Role.Viewer, TestContext.Current.CancellationToken);

        (await api.GetAsync("/whoami"))["role"].ShouldBe("Viewer");
        (await api.PutAsync("/settings/drain", new { value = "true" })).ShouldRefuse(HttpStatusCode.Forbidden, "This token is Viewer");
        await _server.Services.GetRequiredService<Accounts>().RemoveAsync("operator", TestContext.Current.CancellationToken);
        (await api.GetAsync("/whoami")).ShouldRefuse(HttpStatusCode.Unauthorized, "still good");
    }

    [Fact]
    public async Task The_policies_of_the_calls_are_those_of_the_table()
    {
        await Task.CompletedTask;
        foreach (var endpoint in Endpoints())
        {
            var policy = endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(a => a.Policy).LastOrDefault() ?? nameof(Role.Viewer);
            foreach (var method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods)
            {
                policy.ShouldBe(Needed(new HttpMethod(method), PathOf(endpoint)).ToString(), $"{method} {PathOf(endpoint)}");
            }
        }
    }

    /// <summary>The whole of it: who looks, who acts, and what is for admins alone.</summary>
    private static Role Needed(HttpMethod method, string path) => path.Split('/')[1] switch
    {
        "users" or "tokens" => Role.Admin,

        // They show what others have asked the server, word for word.
        "tables" when path.Split('/') is [_, _, "workload" or "keys" or "suggestions"] => Role.Operator,
        _ => method == HttpMethod.Get ? Role.Viewer : Role.Operator,
    };

    private IEnumerable<RouteEndpoint> Endpoints() =>
        _server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(e => e.RoutePattern.RawText!.StartsWith("/api/v1/", StringComparison.Ordinal));

    private IEnumerable<(HttpMethod Method, string Path)> Calls() =>
        Endpoints().Where(e => e.Metadata.GetMetadata<ApiCall>() is not null).SelectMany(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(m => (new HttpMethod(m), PathOf(e))));

    private static string PathOf(RouteEndpoint endpoint) => string.Concat(
        endpoint.RoutePattern.PathSegments.Skip(2).Select(s => $"/{string.Concat(s.Parts.Select(p => p is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content : "nosuch22"))}"));
}

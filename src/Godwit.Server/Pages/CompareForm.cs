using Godwit.Checks;
using Godwit.Inspection;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Godwit.Server.Api;
using Microsoft.AspNetCore.Http;

namespace Godwit.Server.Pages;

/// <summary>What is to be compared, as it stands in the address of the page; what is empty is left to be found.</summary>
internal sealed record CompareForm(string? A, string? B, IReadOnlyList<string> By, string? Day, string? Id, string? Where, bool MayChoose)
{
    /// <summary>Whether there is enough to begin with.</summary>
    public bool IsComplete => A is not null && B is not null;

    /// <summary>Reads it.</summary>
    public static CompareForm Read(HttpContext http)
    {
        string? Text(string name) => Given(http, name).FirstOrDefault();
        return new CompareForm(Text("a"), Text("b"), [.. Given(http, "by")], Text("day"), Text("id"), Text("where"), Policies.Can(http.User, Role.Operator));
    }

    /// <summary>The request.</summary>
    /// <exception cref="InvalidRequestException">The tables cannot be read, or there is a condition of somebody who may give none.</exception>
    public ComparisonRequest Request()
    {
        List<string> problems = [];
        var sides = ComparisonRequest.Read(A, B, problems);
        if (Where is not null && !MayChoose)
        {
            problems.Add(ComparisonRoutes.ConditionTakesOperator);
        }

        return sides is not null && problems.Count == 0
            ? sides with { By = By, Day = Day, Id = Id, Where = Where }
            : throw new InvalidRequestException(problems);
    }

    private static IEnumerable<string> Given(HttpContext http, string name) => http.Request.Query[name].OfType<string>().Where(t => !string.IsNullOrWhiteSpace(t)).Select(t => t.Trim());
}

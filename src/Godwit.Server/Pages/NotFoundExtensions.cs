using Microsoft.AspNetCore.Http;

namespace Godwit.Server.Pages;

/// <summary>For pages of something that may be gone.</summary>
internal static class NotFoundExtensions
{
    /// <summary>
    /// Says that there is no such thing, and leaves it to the page to say so in its own words. The framework throws away what a page has rendered
    /// whose status is 404 by then, so it becomes that no sooner than the answer begins.
    /// </summary>
    public static void NotFound(this HttpContext http) => http.Response.OnStarting(() =>
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    });
}

using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Live;

/// <summary>Renders components outside of a page: the same ones that the page was made of.</summary>
internal sealed class Fragments(IServiceScopeFactory scopes, ILoggerFactory logging)
{
    /// <summary>The HTML of components that take a parameter <c>Model</c>, by their names as regions.</summary>
    public async Task<IReadOnlyDictionary<string, string>> RenderAsync(object model, IReadOnlyDictionary<string, Type> regions)
    {
        await using var scope = scopes.CreateAsyncScope();
        await using var renderer = new HtmlRenderer(scope.ServiceProvider, logging);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            Dictionary<string, string> html = new(StringComparer.Ordinal);
            foreach (var (name, type) in regions)
            {
                html[name] = (await renderer.RenderComponentAsync(type, ParameterView.FromDictionary(new Dictionary<string, object?> { ["Model"] = model }))).ToHtmlString();
            }

            return html;
        });
    }
}
